import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

import type { Candidate } from '@/api'
import { Markdown } from '@/components/markdown'

import type { Saying } from './extras'
import { type Passage, stretchesOf } from './passages'
import styles from './rank.module.css'

const PassageMarker = lazy(() => import('./passage-marker'))
const WordDiff = lazy(() => import('@/components/word-diff'))

type Props = {
  candidate: Candidate
  language: string | undefined
  name: string
  isRaw: boolean
  isMarking: boolean
  base: Candidate | null
  baseLetter: string
  passages: readonly Passage[] | undefined
  onSay: (saying: Saying) => void
  onMarked: () => void
}

/** A response as it reads, as it was written, as what changed from another one, or to be marked in. Never cut. */
export function CardText({ candidate, language, name, isRaw, isMarking, base, baseLetter, passages = [], onSay, onMarked }: Props) {
  const { t } = useTranslation()
  const { id, text } = candidate
  if (isMarking) {
    return (
      <Suspense>
        <PassageMarker text={text} language={language} name={name} onClose={onMarked}
          onMark={(passage) => onSay({ type: 'mark', id, passage })} />
      </Suspense>
    )
  }
  if (base) {
    return (
      <Suspense fallback={<Markdown text={text} language={language} />}>
        <p className={styles.note}>{t('rank.changedFrom', { letter: baseLetter })}</p>
        <WordDiff before={base.text} after={text} language={language} />
      </Suspense>
    )
  }
  if (!isRaw) return <Markdown text={text} language={language} />
  return (
    <div className={`prose plain-text ${styles.raw}`} lang={language || undefined} dir="auto">
      {stretchesOf(text, passages).map((stretch, place) =>
        stretch.flags.length > 0 ? <mark key={place}>{stretch.text}</mark> : <span key={place}>{stretch.text}</span>,
      )}
    </div>
  )
}
