import { Button } from '@mantine/core'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'

import type { Candidate } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { Markdown } from '@/components/markdown'

import styles from './rank.module.css'

export type CardState = {
  rank: number | null
  isTied: boolean
  isFilled: boolean
  isUnacceptable: boolean
  nextRank: number
}

type Props = CardState & {
  candidate: Candidate
  letter: string
  digit: number
  language: string | undefined
  onPlace: (id: number) => void
  onTie: (id: number) => void
  onReject: (id: number) => void
  onTakeBack: (id: number) => void
}

/** One response, whole, with what can be said about it. */
export const CandidateCard = memo(function CandidateCard(props: Props) {
  const { candidate, letter, digit, language, rank, isTied, isFilled, isUnacceptable, nextRank } = props
  const { id } = candidate
  const { t } = useTranslation()
  const isSet = rank !== null || isUnacceptable
  const name = t('rank.response', { letter })
  const place = { count: nextRank, ordinal: true }
  const lastPlace = { count: Math.max(1, nextRank - 1), ordinal: true }

  return (
    <article className={styles.card} tabIndex={-1} aria-labelledby={`response-${id}`} data-candidate={id}
      data-state={isUnacceptable ? 'unacceptable' : rank !== null ? 'ranked' : 'open'}>
      <header className={styles.cardHead}>
        <h2 className={styles.letter} id={`response-${id}`}>
          <span aria-hidden>{letter}</span>
          <span className="visually-hidden">{name}</span>
        </h2>
        <span className={styles.standing}>
          {rank !== null && (
            <>
              {t('rank.ordinal', { count: rank, ordinal: true })}
              {isTied && <span className={styles.aside}>{t('rank.tied')}</span>}
              {isFilled && <span className={styles.aside}>{t('rank.filled')}</span>}
            </>
          )}
          {isUnacceptable && t('rank.unacceptable')}
        </span>
        {isSet ? (
          <Button variant="default" onMouseDown={keepFocus} onClick={() => props.onTakeBack(id)}
            aria-label={t('rank.takeBackNamed', { name })}>
            {t('rank.takeBack')}
          </Button>
        ) : (
          <Button variant="light" onMouseDown={keepFocus} onClick={() => props.onPlace(id)}
            aria-label={t('rank.placeNamed', { name, ...place })} aria-keyshortcuts={`${digit} ${letter}`}>
            {t('rank.place', place)}
            <KeyHint keys={[String(digit)]} />
          </Button>
        )}
      </header>
      <div className={styles.cardActions}>
        <Button variant="subtle" size="compact-sm" className={styles.tie!} onMouseDown={keepFocus}
          disabled={isSet || nextRank === 1} onClick={() => props.onTie(id)}
          aria-label={t('rank.tieNamed', { name, ...lastPlace })} aria-keyshortcuts={`Shift+${digit}`}>
          = {t('rank.tie', lastPlace)}
        </Button>
        <Button variant="subtle" size="compact-sm" color="red" onMouseDown={keepFocus} aria-pressed={isUnacceptable}
          onClick={() => props.onReject(id)} aria-label={t('rank.unacceptableNamed', { name })} aria-keyshortcuts={`Alt+${digit}`}>
          {t('rank.unacceptable')}
        </Button>
      </div>
      <div className={styles.cardText}>
        <Markdown text={candidate.text} language={language} />
      </div>
    </article>
  )
})
