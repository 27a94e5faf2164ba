import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { type Candidate, getOwnRanking, type OwnRanking } from '@/api'
import { Loaded } from '@/components/loaded'
import { Markdown } from '@/components/markdown'
import { useTitle } from '@/components/use-title'
import { momentOf } from '@/shared/moments'

import styles from './history.module.css'
import { letterIn, orderInWords, rankIn } from './order'
import { Record } from './record'
import { useIsBefore } from './use-is-before'

const WordDiff = lazy(() => import('@/components/word-diff'))

/** A ranking of mine, as it was shown to me and as it now stands. */
export default function RankingRecord({ id }: { id: string }) {
  const { t } = useTranslation()
  const query = useQuery({ queryKey: ['history', 'ranking', id], queryFn: () => getOwnRanking(id), refetchOnMount: 'always' })
  useTitle(t('history.ranking'), query.data?.campaign_name ?? '')
  return <div className={styles.page}><Loaded query={query}>{(ranking) => <Shown ranking={ranking} />}</Loaded></div>
}

function Shown({ ranking }: { ranking: OwnRanking }) {
  const { t, i18n } = useTranslation()
  const { assignment, rationale, correctable_until, revision = 1 } = ranking
  const shown = assignment.candidates.map(({ id }) => id)
  const canCorrect = useIsBefore(correctable_until)

  return (
    <Record title={t('history.ranking')} campaign={ranking.campaign_name} standing={ranking.standing} submittedAt={ranking.submitted_at}
      madeUnder={ranking.ranked_under} prompt={assignment.prompt}
      actions={
        <>
          {revision > 1 && <p className="muted">{t('history.revision', { revision })}</p>}
          {canCorrect && correctable_until && (
            <p>
              <Link href={`/history/rankings/${assignment.id}/correct`} className={styles.go}>{t('history.correct')}</Link>{' '}
              <span className="muted">{t('history.until', { moment: momentOf(correctable_until, i18n.language) })}</span>
            </p>
          )}
        </>
      }>
      <section className={styles.order} aria-labelledby="order">
        <h2 id="order">{t('history.order')}</h2>
        <p className={styles.words}>{orderInWords(ranking, shown, t)}</p>
        {ranking.strength != null && <p>{t('history.strength', { steps: ranking.strength })}</p>}
        {rationale && <blockquote className="plain-text" dir="auto">{rationale}</blockquote>}
      </section>
      <div className={styles.cards}>
        {assignment.candidates.map((candidate) => (
          <Response key={candidate.id} candidate={candidate} letter={letterIn(shown, candidate.id)} ranking={ranking} />
        ))}
      </div>
    </Record>
  )
}

type ResponseProps = { candidate: Candidate; letter: string; ranking: OwnRanking }

function Response({ candidate: { id, text }, letter, ranking }: ResponseProps) {
  const { t } = useTranslation()
  const { edited } = ranking
  const { language } = ranking.assignment.prompt
  const rank = rankIn(ranking.tiers, id)
  const isUnacceptable = ranking.unacceptable.includes(id)
  const flags = ranking.flags?.[id] ?? []
  // Counted in code points, as Python does.
  const passages = ranking.spans?.[id] ?? []
  const ratings = Object.entries(ranking.ratings?.[id] ?? {})
  return (
    <article className={styles.card} aria-labelledby={`response-${id}`}>
      <h2 id={`response-${id}`}>
        {t('rank.response', { letter })}
        <span className={styles.rank}>
          {rank !== null && t('rank.ordinal', { count: rank, ordinal: true })}
          {isUnacceptable && t('rank.unacceptable')}
        </span>
      </h2>
      {flags.length + ratings.length + passages.length > 0 && (
        <ul className={styles.notes}>
          {ratings.map(([axis, rating]) => <li key={axis}>{axis}: {rating}</li>)}
          {flags.map((flag) => <li key={flag}>{t(`flags.${flag}`)}</li>)}
          {passages.map(({ start, end, flag }) => (
            <li key={`${start} ${end} ${flag}`}><q dir="auto">{[...text].slice(start, end).join('')}</q> {t(`flags.${flag}`)}</li>
          ))}
        </ul>
      )}
      <Markdown text={text} language={language} />
      {edited?.id === id && (
        <details>
          <summary>{t('history.edited')}</summary>
          <Suspense><WordDiff before={text} after={edited.text} language={language} /></Suspense>
        </details>
      )}
    </article>
  )
}
