import type { KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'

import { keepFocus } from '@/components/keep-focus'
import { isComposing } from '@/shared/keys'

import styles from './rank.module.css'

const STEPS = [1, 2, 3, 4, 5, 6, 7]

type Props = { axis: string; name: string; groupName: string; rating: number | null; onRate: (rating: number) => void }

/** From 1 (bad) to 7 (good): by pointer, by the arrow keys, or by the digit itself. */
export function RatingSteps({ axis, name, groupName, rating, onRate }: Props) {
  const { t } = useTranslation()

  function onKeyDown(event: KeyboardEvent) {
    const step = Number(/^(?:Digit|Numpad)([1-7])$/.exec(event.code)?.[1])
    if (!step || event.ctrlKey || event.metaKey || event.altKey || isComposing(event.nativeEvent)) return
    event.preventDefault()
    if (step !== rating) onRate(step)
  }

  return (
    <fieldset className={styles.rating} onKeyDown={onKeyDown} data-unrated={rating === null || undefined}
      aria-label={`${axis} – ${name}`}>
      <span aria-hidden dir="auto">{axis}</span>
      <div className={styles.steps}>
        {STEPS.map((step) => (
          <label key={step} data-chosen={step === rating || undefined}>
            {/* A press of the pointer leaves the focus where it was, so that Enter still submits. */}
            <input type="radio" name={groupName} value={step} checked={step === rating} onMouseDown={keepFocus}
              onChange={() => onRate(step)} onClick={() => step === rating && onRate(step)}
              aria-label={t(step === 1 ? 'rating.worst' : step === 7 ? 'rating.best' : 'rating.step', { step })} />
            <span aria-hidden>{step}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
