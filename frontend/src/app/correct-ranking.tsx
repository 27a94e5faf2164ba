import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'

import { ApiError, type Assignment, type Campaign, correctRanking, getOwnRanking, type OwnRanking, type Person } from '@/api'
import { AllDone } from '@/components/all-done'
import { Loaded } from '@/components/loaded'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { useIsBefore } from '@/features/history/use-is-before'
import { ASKS_NOTHING, type Judgement } from '@/features/rank/judgement'
import { RankItem } from '@/features/rank/rank-item'
import { announce } from '@/shared/announce'
import { dropDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'
import { momentOf } from '@/shared/moments'

/** A ranking that was handed in, on the screen where it was made, to be corrected. */
export default function CorrectRanking({ id, person, campaigns }: { id: string; person: Person; campaigns: readonly Campaign[] }) {
  const { t } = useTranslation()
  const query = useQuery({ queryKey: ['correction', id], queryFn: () => getOwnRanking(id), gcTime: 0, staleTime: Infinity })
  useTitle(t('history.correcting'), query.data?.campaign_name ?? '')
  return <Loaded query={query}>{(ranking) => <Correction ranking={ranking} person={person} asks={asksOf(campaigns, ranking)} />}</Loaded>
}

function Correction({ ranking, person, asks }: { ranking: OwnRanking; person: Person; asks: Campaign['asks'] | undefined }) {
  const { t, i18n } = useTranslation()
  const [, goTo] = useLocation()
  const queries = useQueryClient()
  const { assignment, correctable_until: until } = ranking
  const isOpen = useIsBefore(until)
  const [error, setError] = useState<unknown>(null)
  const sent = useRef<{ text: string; key: string } | null>(null)
  const isClosed = error instanceof ApiError && !error.isTemporary

  function leave() {
    dropDraft({ kind: 'ranking', person: person.id, id: assignment.id })
    goTo(`/history/rankings/${assignment.id}`, { replace: true })
  }

  async function submit(judgement: Judgement) {
    if (isClosed) return
    setError(null)
    // The same correction sent again carries the same key, so that it is stored once.
    const text = JSON.stringify({ ...judgement, seconds_spent: 0 })
    if (sent.current?.text !== text) sent.current = { text, key: crypto.randomUUID() }
    try {
      await correctRanking(assignment.id, { ...judgement, idempotency_key: sent.current.key })
      announce(t('history.corrected'))
      void queries.invalidateQueries({ queryKey: ['history'] })
      leave()
    } catch (refusal) {
      setError(refusal)
    }
  }

  if (!isOpen && error === null) return <AllDone title={t('history.closed')} explain={t('history.closedExplain')} />
  return (
    <>
      {error ? (
        <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('history.leave'), run: leave }} />
      ) : (
        <Notice kind="info" words={t('history.correctingUntil', { moment: until ? momentOf(until, i18n.language) : '' })}
          action={{ label: t('history.leave'), run: leave }} />
      )}
      {/* What was written stays in sight when it can no longer be sent. */}
      <div inert={isClosed}>
        <RankItem assignment={asHeld(assignment, until)} person={person.id} asks={asks ?? ASKS_NOTHING}
          initial={judgementOf(ranking)} refused={isClosed} onSubmit={(judgement) => void submit(judgement)} />
      </div>
    </>
  )
}

/** The rank screen shows what is held for a while; here the while is the campaign's window. */
function asHeld(assignment: OwnRanking['assignment'], until: string | null): Assignment {
  return { ...assignment, lease_expires_at: until ?? '', draft: null }
}

function judgementOf(ranking: OwnRanking): Judgement {
  const { tiers, unacceptable, cannot_judge = '', strength, ratings, flags, spans, rationale, edited, seconds_spent } = ranking
  return { tiers, unacceptable, cannot_judge, strength, ratings, flags, spans, rationale, edited, seconds_spent } as Judgement
}

function asksOf(campaigns: readonly Campaign[], { assignment }: OwnRanking) {
  return campaigns.find(({ id }) => id === assignment.campaign)?.asks
}
