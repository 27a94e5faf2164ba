import { type KeyboardEvent, memo, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { useTranslation } from 'react-i18next'

import type { Asks, Candidate } from '@/api'
import { keepFocus } from '@/components/keep-focus'

import type { Ratings, Saying } from './extras'
import { type Flag, FLAGS } from './flags'
import { type Passage, quoteOf } from './passages'
import styles from './rank.module.css'
import { RatingSteps } from './rating-steps'

type Props = {
  candidate: Candidate
  name: string
  asks: Asks
  ratings: Ratings | undefined
  flags: readonly Flag[] | undefined
  passages: readonly Passage[] | undefined
  onSay: (saying: Saying) => void
}

const NONE: never[] = []

/** What is said of one response beside its place. */
export const CardExtras = memo(function CardExtras({ candidate, name, asks, ratings, flags = NONE, passages = NONE, onSay }: Props) {
  const { id, text } = candidate
  const hasPassages = passages.length > 0
  if (asks.rating_axes.length === 0 && !asks.flags && !hasPassages) return null
  return (
    <footer className={styles.extras}>
      {asks.rating_axes.map((axis) => (
        <RatingSteps key={axis} axis={axis} name={name} rating={ratings?.[axis] ?? null} groupName={`${id} ${axis}`}
          onRate={(rating) => onSay({ type: 'rate', id, axis, rating })} />
      ))}
      {asks.flags && <Flags id={id} name={name} flags={flags} onSay={onSay} />}
      {hasPassages && <Passages id={id} text={text} name={name} passages={passages} onSay={onSay} />}
    </footer>
  )
})

function Flags({ id, name, flags, onSay }: { id: number; name: string; flags: readonly Flag[]; onSay: Props['onSay'] }) {
  const { t } = useTranslation()
  const [isOpen, setOpen] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Escape' || !isOpen) return
    event.preventDefault()
    setOpen(false)
    opener.current?.focus()
  }

  return (
    <div className={styles.flags} onKeyDown={onKeyDown}>
      <button type="button" className="quiet" ref={opener} data-opens-flags aria-expanded={isOpen} onMouseDown={keepFocus}
        onClick={() => setOpen(!isOpen)} aria-label={t('flags.openNamed', { name, count: flags.length })}>
        {t('flags.open')}
      </button>
      {flags.map((flag) => <span key={flag} className={styles.flag}>{t(`flags.${flag}`)}</span>)}
      {isOpen && (
        <div role="group" className={styles.flagList} aria-label={t('flags.of', { name })}>
          {FLAGS.map((flag) => (
            <label key={flag}>
              <input type="checkbox" checked={flags.includes(flag)} onMouseDown={keepFocus}
                onChange={() => onSay({ type: 'flag', id, flag })} />
              {t(`flags.${flag}`)}
            </label>
          ))}
        </div>
      )}
    </div>
  )
}

/** Open the list of flags of a response and go there; whether there is one. */
export function openFlags(id: number): boolean {
  const card = document.querySelector(`article[data-candidate="${id}"]`)
  const opener = card?.querySelector<HTMLButtonElement>('[data-opens-flags]')
  if (!opener) return false
  if (opener.getAttribute('aria-expanded') !== 'true') flushSync(() => opener.click())
  card!.querySelector<HTMLInputElement>('input[type="checkbox"]')?.focus()
  return true
}

type PassagesProps = { id: number; text: string; name: string; passages: readonly Passage[]; onSay: Props['onSay'] }

function Passages({ id, text, name, passages, onSay }: PassagesProps) {
  const { t } = useTranslation()
  return (
    <ul className={styles.passages} aria-label={t('spans.of', { name })}>
      {passages.map((passage) => {
        const quote = quoteOf(text, passage)
        return (
          <li key={`${passage.start} ${passage.end} ${passage.flag}`}>
            <q dir="auto">{quote}</q> <span className={styles.flag}>{t(`flags.${passage.flag}`)}</span>
            <button type="button" className="quiet" aria-label={t('spans.removeNamed', { quote })}
              onClick={() => onSay({ type: 'unmark', id, passage })}>
              ×
            </button>
          </li>
        )
      })}
    </ul>
  )
}
