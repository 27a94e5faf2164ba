import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'

import { type Assignment, type Campaign, getOwnRanking, type OwnRanking, type Person } from '@/api'
import { AllDone } from '@/components/all-done'
import { CopyButton } from '@/components/copy-button'
import { Loaded } from '@/components/loaded'
import { Notice } from '@/components/notice'
import { outboxOf } from '@/components/outbox'
import { useTitle } from '@/components/use-title'
import { writtenIn } from '@/components/written'
import { useIsBefore } from '@/features/history/use-is-before'
import { ASKS_NOTHING, type Judgement } from '@/features/rank/judgement'
import { isForGood } from '@/features/rank/queue'
import { RankItem } from '@/features/rank/rank-item'
import { announce } from '@/shared/announce'
import { timeOf } from '@/shared/dates'
import { dropDraft } from '@/shared/drafts'
import { momentOf } from '@/shared/moments'

import { useCorrection } from './use-correction'

/** A ranking that was handed in, on the screen where it was made, to be corrected. */
export default function CorrectRanking({ id, person, campaigns }: { id: string; person: Person; campaigns: readonly Campaign[] }) {
  const { t } = useTranslation()
  const query = useQuery({ queryKey: ['correction', id], queryFn: () => whatStands(id, person.id), gcTime: 0, staleTime: Infinity })
  useTitle(t('history.correcting'), query.data?.campaign_name ?? '')
  return <Loaded query={query}>{(ranking) => <Correction ranking={ranking} person={person} asks={asksOf(campaigns, ranking)} />}</Loaded>
}

function Correction({ ranking, person, asks }: { ranking: OwnRanking; person: Person; asks: Campaign['asks'] | undefined }) {
  const { t, i18n } = useTranslation()
  const [, goTo] = useLocation()
  const queries = useQueryClient()
  const { assignment, correctable_until: until } = ranking
  const isOpen = useIsBefore(until)
  const correction = useCorrection({ assignment, person: person.id, onStored })
  const { waitingSince, written, refusal, state } = correction
  const isClosed = refusal !== null && isForGood({ assignment: asHeld(assignment, until), refused: { key: null, refusal } })
  const initial = written ?? judgementOf(ranking)

  function onStored() {
    announce(t('history.corrected'))
    void queries.invalidateQueries({ queryKey: ['history'] })
    leave()
  }

  function leave() {
    dropDraft({ kind: 'ranking', person: person.id, id: assignment.id })
    goTo(`/history/rankings/${assignment.id}`, { replace: true })
  }

  const asItWas = { label: t('history.leave'), run: () => (correction.withdraw(), leave()) }
  if (state === 'waiting') return <AllDone title={t('history.waiting')} explain={t('history.waitingExplain')} />
  if (!isOpen && !refusal) return <AllDone title={t('history.closed')} explain={t('history.closedExplain')} />
  return (
    <>
      {refusal ? (
        <Notice kind="error" words={refusal.detail || t('safe.outbox.noWords', { status: refusal.status })} action={asItWas}>
          <CopyButton text={writtenIn(assignment, initial)} />
        </Notice>
      ) : (
        <Notice kind="info" action={asItWas}
          words={waitingSince !== null ? t('history.waitingBefore', { when: timeOf(waitingSince, i18n.language) })
            : t('history.correctingUntil', { moment: until ? momentOf(until, i18n.language) : '' })} />
      )}
      {/* What was written stays in sight when it can no longer be sent. */}
      <div inert={isClosed}>
        <RankItem assignment={asHeld(assignment, until)} person={person.id} asks={asks ?? ASKS_NOTHING}
          initial={initial} refused={isClosed} onSubmit={correction.send} />
      </div>
    </>
  )
}

/** What an earlier visit handed in goes first: it is part of what stands, or it is here to be shown. */
async function whatStands(id: string, person: number): Promise<OwnRanking> {
  await outboxOf(person).ready()
  return getOwnRanking(id)
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
