import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, claimDemonstration, type Demonstration, type Person } from '@/api'
import { AllDone } from '@/components/all-done'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'

import { DemonstrationItem } from './demonstration-item'

/** Writing the demonstrations of one campaign, one after the other. */
export default function DemonstrateScreen({ campaign, name, person }: { campaign: number; name: string; person: Person }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const queryKey = ['demonstration', campaign]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => claimDemonstration(campaign),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: (query) => (query.state.data?.demonstration ? false : 30_000),
  })
  useTitle(t('demonstrate.screen'), name)
  useEffect(() => () => void queries.invalidateQueries({ queryKey: ['campaigns'] }), [queries])

  function show(next: Demonstration | null) {
    queries.setQueryData(queryKey, { demonstration: next })
    void queries.invalidateQueries({ queryKey: ['campaigns'] })
  }

  if (error instanceof ApiError && error.isPause && !data?.demonstration) {
    return <AllDone title={t('paused')} explain={error.detail} />
  }
  if (error && !data) {
    return <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void refetch() }} />
  }
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (!data.demonstration) {
    return <AllDone title={t('demonstrate.done')} explain={t('demonstrate.doneExplain')} />
  }
  return (
    <DemonstrationItem key={data.demonstration.id} demonstration={data.demonstration} person={person.id}
      onSubmitted={show} onSignedOut={() => void queries.invalidateQueries({ queryKey: ['me'] })} />
  )
}
