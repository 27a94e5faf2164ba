import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { claimDemonstration, type Demonstration, listCampaigns, type Person, skipDemonstration, type SubmissionBody } from '@/api'
import { AllDone } from '@/components/all-done'
import { CannotLoad } from '@/components/cannot-load'
import { GuidelineNews } from '@/components/guideline-news'
import { Notice } from '@/components/notice'
import { OnlyHere } from '@/components/only-here'
import { useOffline, useOutbox } from '@/components/outbox'
import { useTitle } from '@/components/use-title'
import { keepDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'
import type { Outbox } from '@/shared/outbox'

import { DemonstrationItem } from './demonstration-item'
import { SkippedToast } from './skipped-toast'

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

  const [skipped, setSkipped] = useState<number | null>(null)
  const forgetSkipped = useCallback(() => setSkipped(null), [])
  const skip = useMutation({
    mutationFn: ({ id, reason }: { id: number; reason: string }) => skipDemonstration(id, reason),
    onSuccess: ({ demonstration }, { id }) => {
      setSkipped(id)
      show(demonstration)
    },
  })

  function show(next: Demonstration | null) {
    queries.setQueryData(queryKey, { demonstration: next })
    void queries.invalidateQueries({ queryKey: ['campaigns'] })
  }

  const toast = skipped !== null && (
    <SkippedToast demonstration={skipped} onGone={forgetSkipped} onTakenUp={() => {
      setSkipped(null)
      void queries.resetQueries({ queryKey })
    }} />
  )
  if (error && !data?.demonstration) return <CannotLoad error={error} onRetry={() => void refetch()} />
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (!data.demonstration && (isWaiting || isOffline)) {
    return <AllDone title={t('safe.reconnect')} explain={t('safe.reconnectExplain')} />
  }
  if (!data.demonstration) {
    return (
      <>
        {isResting ? (
          <AllDone title={t('resting')} explain={t('restingExplain')} />
        ) : (
          <AllDone title={t('demonstrate.done')} explain={t('demonstrate.doneExplain')} />
        )}
        {toast}
      </>
    )
  }
  const { id } = data.demonstration
  return (
    <>
      <GuidelineNews key={id} campaign={campaign} />
      {skip.error && <Notice kind="error" words={wordsFor(skip.error, t)} />}
      <OnlyHere key={`here ${id}`} name={`demonstration.${person.id}.${id}`}>
        <DemonstrationItem demonstration={data.demonstration} person={person.id} onSubmitted={show}
          onSkip={(reason) => skip.mutateAsync({ id, reason }).catch(() => null)}
          onSignedOut={() => void queries.invalidateQueries({ queryKey: ['me'] })} />
      </OnlyHere>
      {toast}
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
