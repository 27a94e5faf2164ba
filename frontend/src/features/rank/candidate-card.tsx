import { Button } from '@mantine/core'
import { memo, type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Asks, Candidate } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { ariaKeysFor, keysFor } from '@/shared/keymap'

import { CardExtras } from './card-extras'
import { CardText } from './card-text'
import type { Saying } from './extras'
import type { Step } from './history'
import type { Flag } from './flags'
import type { Passage } from './passages'
import styles from './rank.module.css'
import { useSeen } from './use-seen'

type Placed = {
  rank: number | null
  isTied: boolean
  isFilled: boolean
  isUnacceptable: boolean
  nextRank: number
}

type Props = Placed & {
  candidate: Candidate
  letter: string
  digit: number
  language: string | undefined
  asks: Asks
  isShown: boolean
  isRaw: boolean
  /** What it nearly repeats, where the differences are to be shown. */
  base: Candidate | null
  baseLetter: string
  ratings: { readonly [axis: string]: number } | undefined
  flags: readonly Flag[] | undefined
  passages: readonly Passage[] | undefined
  /** How it is chosen: put in the next place, called the better of two, or elsewhere. */
  choice: 'place' | 'better' | 'none'
  onTake: (step: Step) => void
  onBetter: (id: number) => void
  onSay: (saying: Saying) => void
  /** What others said of it. */
  children?: ReactNode
}

/** One response, whole, with what can be said about it. */
export const CandidateCard = memo(function CandidateCard(props: Props) {
  const { candidate, letter, rank, isUnacceptable, isShown, asks, children } = props
  const { id } = candidate
  const { t } = useTranslation()
  const [isMarking, setMarking] = useState(false)
  const { isSeen, end } = useSeen()
  const name = t('rank.response', { letter })

  return (
    <article className={styles.card} tabIndex={-1} aria-labelledby={`response-${id}`} data-candidate={id} hidden={!isShown}
      data-state={isUnacceptable ? 'unacceptable' : rank !== null ? 'ranked' : 'open'}>
      <header className={styles.cardHead}>
        <h2 className={styles.letter} id={`response-${id}`}>
          <span aria-hidden>{letter}</span>
          <span className="visually-hidden">{name}</span>
        </h2>
        <StandingWords {...props} isSeen={isSeen} />
        <Choice {...props} name={name} />
      </header>
      <div className={styles.cardActions}>
        <Tie {...props} name={name} />
        <Button variant="subtle" size="compact-sm" color="red" onMouseDown={keepFocus} aria-pressed={isUnacceptable}
          onClick={() => props.onTake({ type: 'reject', id })} aria-label={t('rank.unacceptableNamed', { name })}
          aria-keyshortcuts={ariaKeysFor('reject', props.digit - 1)}>
          {t('rank.unacceptable')}
        </Button>
        {asks.spans && (
          <Button variant="subtle" size="compact-sm" aria-expanded={isMarking} onClick={() => setMarking(!isMarking)}
            aria-label={t('spans.openNamed', { name })}>
            {t('spans.open')}
          </Button>
        )}
      </div>
      {children}
      <div className={styles.cardText}>
        <CardText {...props} isMarking={isMarking} name={name} onMarked={() => setMarking(false)} />
        <span ref={end} />
      </div>
      <CardExtras {...props} name={name} />
    </article>
  )
})

type Named = Props & { name: string }

function StandingWords({ rank, isTied, isFilled, isUnacceptable, isSeen }: Placed & { isSeen: boolean }) {
  const { t } = useTranslation()
  return (
    <span className={styles.standing}>
      {rank !== null && (
        <>
          {t('rank.ordinal', { count: rank, ordinal: true })}
          {isTied && <span className={styles.aside}>{t('rank.tied')}</span>}
          {isFilled && <span className={styles.aside}>{t('rank.filled')}</span>}
        </>
      )}
      {isUnacceptable && t('rank.unacceptable')}
      {isSeen && <span className={styles.seen} title={t('rank.seenExplain')}>{t('rank.seen')}</span>}
    </span>
  )
}

/** The button that gives it its place, and says which; or takes it back. */
function Choice({ candidate: { id }, choice, digit, rank, isUnacceptable, nextRank, name, ...props }: Named) {
  const { t } = useTranslation()
  if (choice === 'none') return null
  if (choice === 'better') {
    const isBetter = rank === 1 && !props.isTied
    return (
      <Button variant={isBetter ? 'filled' : 'light'} onMouseDown={keepFocus} onClick={() => props.onBetter(id)}
        aria-label={t('rank.betterNamed', { name })} aria-keyshortcuts={ariaKeysFor('place', digit - 1)}>
        {t('rank.better')}
        <KeyHint keys={keysFor('place', digit - 1)} />
      </Button>
    )
  }
  if (rank !== null || isUnacceptable) {
    return (
      <Button variant="default" onMouseDown={keepFocus} onClick={() => props.onTake({ type: 'takeBack', id })}
        aria-label={t('rank.takeBackNamed', { name })}>
        {t('rank.takeBack')}
      </Button>
    )
  }
  const place = { count: nextRank, ordinal: true }
  return (
    <Button variant="light" onMouseDown={keepFocus} onClick={() => props.onTake({ type: 'place', id })}
      aria-label={t('rank.placeNamed', { name, ...place })} aria-keyshortcuts={ariaKeysFor('place', digit - 1)}>
      {t('rank.place', place)}
      <KeyHint keys={keysFor('place', digit - 1)} />
    </Button>
  )
}

function Tie({ candidate: { id }, choice, digit, rank, isUnacceptable, nextRank, name, onTake }: Named) {
  const { t } = useTranslation()
  if (choice !== 'place') return null
  const lastPlace = { count: Math.max(1, nextRank - 1), ordinal: true }
  return (
    <Button variant="subtle" size="compact-sm" className={styles.tie!} onMouseDown={keepFocus}
      disabled={rank !== null || isUnacceptable || nextRank === 1} onClick={() => onTake({ type: 'tie', id })}
      aria-label={t('rank.tieNamed', { name, ...lastPlace })} aria-keyshortcuts={ariaKeysFor('tie', digit - 1)}>
      = {t('rank.tie', lastPlace)}
    </Button>
  )
}
