import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { claimDemonstration, type Demonstration, listCampaigns, type Person } from '@/api'
import { AllDone } from '@/components/all-done'
import { CannotLoad } from '@/components/cannot-load'
import { useTitle } from '@/components/use-title'

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
  const campaigns = useQuery({ queryKey: ['campaigns'], queryFn: listCampaigns })
  const isResting = campaigns.data?.find(({ id }) => id === campaign)?.is_active === false
  useTitle(t('demonstrate.screen'), name)
  useEffect(() => () => void queries.invalidateQueries({ queryKey: ['campaigns'] }), [queries])

  function show(next: Demonstration | null) {
    queries.setQueryData(queryKey, { demonstration: next })
    void queries.invalidateQueries({ queryKey: ['campaigns'] })
  }

  if (error && !data?.demonstration) return <CannotLoad error={error} onRetry={() => void refetch()} />
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (!data.demonstration) {
    return isResting ? (
      <AllDone title={t('resting')} explain={t('restingExplain')} />
    ) : (
      <AllDone title={t('demonstrate.done')} explain={t('demonstrate.doneExplain')} />
    )
  }
  return (
    <DemonstrationItem key={data.demonstration.id} demonstration={data.demonstration} person={person.id}
      onSubmitted={show} onSignedOut={() => void queries.invalidateQueries({ queryKey: ['me'] })} />
  )
}
