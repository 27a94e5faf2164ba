import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { claimReview, type Person, type ReviewedDemonstration } from '@/api'
import { AllDone } from '@/components/all-done'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'

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
  useTitle(t('review.screen'), name)
  useEffect(() => () => void queries.invalidateQueries({ queryKey: ['reviews'] }), [queries])

  // Asking again says that somebody still looks at it. What is on screen stays, whatever the answer is.
  useEffect(() => {
    if (!shown) return
    const beat = setInterval(() => void claimReview(campaign).catch(() => undefined), BEAT_MS)
    return () => clearInterval(beat)
  }, [campaign, shown])

  function show(next: ReviewedDemonstration | null) {
    queries.setQueryData(queryKey, { demonstration: next })
  }

  if (error && !data) {
    return <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void refetch() }} />
  }
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (!shown) return <AllDone title={t('review.done')} explain={t('review.doneExplain')} />
  return (
    <ReviewItem key={`${shown.id}.${shown.revision}`} demonstration={shown} person={person.id} onDecided={show}
      onGoOn={() => void refetch()} onSignedOut={() => void queries.invalidateQueries({ queryKey: ['me'] })} />
  )
}
