import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { useTranslation } from 'react-i18next'

import { claimDemonstration, type Demonstration, listCampaigns, type Person, type SubmissionBody } from '@/api'
import { AllDone } from '@/components/all-done'
import { CannotLoad } from '@/components/cannot-load'
import { GuidelineNews } from '@/components/guideline-news'
import { OnlyHere } from '@/components/only-here'
import { useOffline, useOutbox } from '@/components/outbox'
import { useTitle } from '@/components/use-title'
import { keepDraft } from '@/shared/drafts'
import type { Outbox } from '@/shared/outbox'

import { DemonstrationItem } from './demonstration-item'

/** Writing the demonstrations of one campaign, one after the other. */
export default function DemonstrateScreen({ campaign, name, person }: { campaign: number; name: string; person: Person }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const queryKey = useMemo(() => ['demonstration', campaign], [campaign])
  const path = `/demonstrate/${campaign}`
  const { outbox, state } = useOutbox(person.id)
  const isOffline = useOffline(person.id)
  const isWaiting = state.items.some((item) => item.path === path && item.refusal === null)
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => claimUnsent(outbox, campaign),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: (query) => (query.state.data?.demonstration ? false : 30_000),
  })
  const campaigns = useQuery({ queryKey: ['campaigns'], queryFn: listCampaigns })
  const isResting = campaigns.data?.find(({ id }) => id === campaign)?.is_active === false
  useTitle(t('demonstrate.screen'), name)
  // What was on its way is stored by now, so there may be something to write again.
  useEffect(
    () =>
      outbox.onSettled((item) => {
        const isIdle = !queries.getQueryData<{ demonstration: Demonstration | null }>(queryKey)?.demonstration
        if (item.path === path && isIdle) void queries.invalidateQueries({ queryKey })
      }),
    [outbox, queries, queryKey, path],
  )
  // One that was refused, whose author wants to see it.
  useEffect(() => {
    const asked = outbox.find(outbox.askedAt(path) ?? '')
    if (!asked) return
    const demonstration = asked.shown as Demonstration
    const { turns } = asked.body as SubmissionBody
    keepDraft({ kind: 'demonstration', person: person.id, id: demonstration.id }, { turns, revision: demonstration.revision })
    queries.setQueryData(queryKey, { demonstration })
  }, [outbox, state, path, person.id, queries, queryKey])
  useEffect(() => () => void queries.invalidateQueries({ queryKey: ['campaigns'] }), [queries])

  function show(next: Demonstration | null) {
    queries.setQueryData(queryKey, { demonstration: next })
    void queries.invalidateQueries({ queryKey: ['campaigns'] })
  }

  if (error && !data?.demonstration) return <CannotLoad error={error} onRetry={() => void refetch()} />
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (!data.demonstration && (isWaiting || isOffline)) {
    return <AllDone title={t('safe.reconnect')} explain={t('safe.reconnectExplain')} />
  }
  if (!data.demonstration) {
    return isResting ? (
      <AllDone title={t('resting')} explain={t('restingExplain')} />
    ) : (
      <AllDone title={t('demonstrate.done')} explain={t('demonstrate.doneExplain')} />
    )
  }
  return (
    <>
      <GuidelineNews key={data.demonstration.id} campaign={campaign} />
      <OnlyHere key={`here ${data.demonstration.id}`} name={`demonstration.${person.id}.${data.demonstration.id}`}>
        <DemonstrationItem demonstration={data.demonstration} person={person.id} onSubmitted={show}
          onSignedOut={() => void queries.invalidateQueries({ queryKey: ['me'] })} />
      </OnlyHere>
    </>
  )
}

/** What was handed in and is not stored yet is no longer to be written. */
async function claimUnsent(outbox: Outbox, campaign: number) {
  await outbox.ready()
  const claimed = await claimDemonstration(campaign)
  const isSent = claimed.demonstration && outbox.isUnsettled(String(claimed.demonstration.id))
  return isSent ? { demonstration: null } : claimed
}
