import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { claimReview, type Person, type ReviewedDemonstration } from '@/api'
import { AllDone } from '@/components/all-done'
import { CannotLoad } from '@/components/cannot-load'
import { useTitle } from '@/components/use-title'

import { GuidelineBeside } from './guideline-beside'
import { ReviewItem } from './review-item'

const BEAT_MS = 60_000

/** Looking at the demonstrations of one campaign, one after the other. */
export default function ReviewScreen({ campaign, name, person }: { campaign: number; name: string; person: Person }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const queryKey = ['review', campaign]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => claimReview(campaign),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: (query) => (query.state.data?.demonstration ? false : 30_000),
  })
  const shown = data?.demonstration
  const [lost, setLost] = useState<string | null>(null)
  useTitle(t('review.screen'), name)
  useEffect(() => () => void queries.invalidateQueries({ queryKey: ['reviews'] }), [queries])

  // Asking again says that somebody still looks at it. What is on screen stays, whatever the answer is; where it
  // is another one, this one went to somebody else, or its author has changed it.
  useEffect(() => {
    if (!shown) return
    const ask = async () => {
      const { demonstration } = await claimReview(campaign)
      if (!demonstration || versionOf(demonstration) !== versionOf(shown)) setLost(versionOf(shown))
    }
    const beat = setInterval(() => void ask().catch(() => undefined), BEAT_MS)
    return () => clearInterval(beat)
  }, [campaign, shown])

  function show(next: ReviewedDemonstration | null) {
    queries.setQueryData(queryKey, { demonstration: next })
  }

  if (error && !shown) return <CannotLoad error={error} onRetry={() => void refetch()} />
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (!shown) return <AllDone title={t('review.done')} explain={t('review.doneExplain')} />
  return (
    <ReviewItem key={versionOf(shown)} demonstration={shown} person={person.id} isLost={lost === versionOf(shown)}
      guideline={<GuidelineBeside campaign={campaign} writtenUnder={shown.guideline_version} />} onDecided={show}
      onGoOn={() => void refetch()} onSignedOut={() => void queries.invalidateQueries({ queryKey: ['me'] })} />
  )
}

/** The text that a verdict counts for. */
function versionOf({ id, revision }: ReviewedDemonstration): string {
  return `${id}.${revision}`
}
