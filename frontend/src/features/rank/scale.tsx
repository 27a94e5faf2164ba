import { useTranslation } from 'react-i18next'

import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { ariaKeysFor } from '@/shared/keymap'

import type { Ballot } from './ballot'
import type { Step } from './history'
import styles from './rank.module.css'
import { rankOf } from './tiers'
import { stepOnScale } from './use-rank-commands'

const STEPS = [0, 1, 2, 3, 4, 5, 6]

type Props = { ids: readonly number[]; ballot: Ballot; letterOf: (id: number) => string; onTake: (step: Step) => void }

/** Which of two is better, and by how much: seven steps, from left to right as the two stand. */
export function Scale({ ids, ballot, letterOf, onTake }: Props) {
  const { t } = useTranslation()
  const chosen = chosenOn(ids, ballot)

  function wordsOf(step: number): string {
    if (step === 3) return t('scale.equal')
    const letter = letterOf(ids[step < 3 ? 0 : 1]!)
    const by = Math.abs(step - 3)
    return by === 3 ? t('scale.much', { letter }) : by === 2 ? t('scale.better', { letter }) : t('scale.slightly', { letter })
  }

  /** Where there is no room for words. */
  function signOf(step: number): string {
    return step === 3 ? '=' : `${letterOf(ids[step < 3 ? 0 : 1]!)}${'+'.repeat(Math.abs(step - 3))}`
  }

  return (
    <div className={styles.scale} role="group" aria-label={t('scale.title')}>
      {STEPS.map((step) => (
        <button key={step} type="button" onMouseDown={keepFocus} aria-pressed={step === chosen}
          aria-label={wordsOf(step)} aria-keyshortcuts={ariaKeysFor('weigh', step)} onClick={() => onTake(stepOnScale(ids, step))}>
          <span className={styles.long}>{wordsOf(step)}</span>
          <span className={styles.short} aria-hidden>{signOf(step)}</span>
          <KeyHint keys={[String(step + 1)]} />
        </button>
      ))}
      <p className={styles.note}>{chosen === null ? t('scale.keys') : wordsOf(chosen)}</p>
    </div>
  )
}

function chosenOn([first, second]: readonly number[], { tiers, strength = 0 }: Ballot): number | null {
  if (tiers.length === 1 && tiers[0]!.length === 2) return 3
  if (!strength) return null
  return rankOf(tiers, first!) === 1 ? 3 - strength : rankOf(tiers, second!) === 1 ? 3 + strength : null
}
