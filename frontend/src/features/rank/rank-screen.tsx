import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { Activity, lazy, Suspense, useCallback, useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, type Campaign, listCampaigns, type Person } from '@/api'
import { AllDone } from '@/components/all-done'
import { GuidelineNews } from '@/components/guideline-news'
import { Notice } from '@/components/notice'
import { OnlyHere } from '@/components/only-here'
import { useOffline } from '@/components/outbox'
import { PracticeFirst } from '@/components/practice-first'
import { Toast } from '@/components/toast'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'
import { whenIdle } from '@/shared/when-idle'

import { ItemNotices } from './item-notices'
import { ASKS_NOTHING } from './judgement'
import { KeepRanking } from './keep-ranking'
import { LookOfScreen, useOwnLook } from './look'
import { type Held, isForGood, type Work } from './queue'
import { RankItem } from './rank-item'
import { UndoToast } from './undo-toast'
import { useLease } from './use-lease'
import { useQueue } from './use-queue'

const loadLeaseDialog = () => import('./lease-dialog')
const LeaseDialog = lazy(loadLeaseDialog)

type Props = { campaign: number; name: string; person: Person; work?: Work }

/** Ranking the assignments of one campaign, one after the other. */
export default function RankScreen({ campaign, name, person, work = 'rank' }: Props) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { queue, state } = useQueue(campaign, person.id, work)
  const { items, last, error, status } = state
  const isOffline = useOffline(person.id)
  const about = useCampaign(campaign)
  const looking = useOwnLook()
  const leased = items.find(({ isCorrection }) => !isCorrection)
  const beat = useCallback(() => queue.beat(), [queue])
  const lease = useLease(leased?.assignment.lease_expires_at ?? null, beat)
  const forgetLast = useCallback((key: string) => queue.forgetLast(key), [queue])
  const forgetSkipped = useCallback(() => queue.forgetSkipped(), [queue])
  // To be there also when the network is not.
  useEffect(() => whenIdle(() => Promise.all([loadLeaseDialog(), import('@/components/reason-dialog')])), [])
  useTitle(t(work === 'rank' ? 'rank.screen' : 'adjudicate.screen'), name)

  const isPaused = error instanceof ApiError && error.isPause
  const needsPractice = error instanceof ApiError && error.code === 'practice_needed'
  const isDone = status === 'ready' && !isOffline

  return (
    <>
      {isOffline && items.length > 0 && <Notice kind="info" words={t('safe.offline')} />}
      {items.length === 0 && isPaused && <AllDone title={t('paused')} explain={wordsFor(error, t)} />}
      {items.length === 0 && needsPractice && <PracticeFirst campaign={campaign} explain={wordsFor(error, t)} />}
      {items.length === 0 && isOffline && <AllDone title={t('safe.reconnect')} explain={t('safe.reconnectExplain')} />}
      {items.length === 0 && status === 'failed' && !isPaused && !needsPractice && !isOffline && (
        <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void queue.refill() }} />
      )}
      {error !== null && items.length > 0 && <Notice kind="warning" words={wordsFor(error, t)} />}
      {state.isKeptAsSurplus && <Notice kind="info" words={t('rank.keptAsSurplus')} />}
      {status === 'loading' && !isOffline && <p className="waiting" aria-busy="true">{t('loading')}</p>}
      {items.length === 0 && isDone && !isPaused && (
        <AllDone title={t(work === 'rank' ? 'rank.done' : 'adjudicate.done')} explain={t('rank.doneExplain')} />
      )}
      {items[0] && work === 'rank' && <GuidelineNews key={items[0].assignment.id} campaign={campaign} />}
      <LookOfScreen value={looking}>
      {items.map((held, place) => (
        // The next one is rendered behind this one, so that it is there at once.
        <Activity key={keyOf(held)} mode={place === 0 ? 'visible' : 'hidden'}>
          <OnlyHere name={`ranking.${person.id}.${held.assignment.id}`}>
          <KeepRanking assignment={held.assignment} person={person.id} isCorrection={held.isCorrection ?? false}>
            <ItemNotices held={held} person={person.id} onDiscard={() => void queue.discard(held.assignment.id)} />
            <RankItem assignment={held.assignment} person={person.id} asks={about?.asks ?? ASKS_NOTHING} adjudicates={work === 'adjudicate'}
              {...(held.initial && { initial: held.initial })} refused={isForGood(held)}
              onSubmit={(judgement) => {
                queue.submit(held.assignment.id, judgement)
                if (work === 'rank' && !held.isCorrection) countToday(queries, campaign)
              }}
              onSkip={(reason) => void queue.skip(held.assignment.id, reason)} />
          </KeepRanking>
          </OnlyHere>
        </Activity>
      ))}
      </LookOfScreen>
      {last && about?.correction_minutes !== 0 && <UndoToast key={last.key} last={last.key} onUndo={() => void queue.undo()} onGone={forgetLast} />}
      {state.isSkippedTextKept && <Toast words={t('safe.skippedKept')} seconds={12} onGone={forgetSkipped} />}
      {lease.isEnding && (
        <Suspense><LeaseDialog left={lease.left} onKeepWorking={lease.keepWorking} /></Suspense>
      )}
    </>
  )
}

/** Brought back, it is another screen: with what was handed in. */
function keyOf({ assignment, initial, isCorrection }: Held): string {
  return [assignment.id, initial && 'again', isCorrection && 'correction'].filter(Boolean).join(' ')
}

/** One more today, before the list of campaigns is asked for again. */
function countToday(queries: QueryClient, campaign: number) {
  queries.setQueryData<Campaign[]>(['campaigns'], (list) =>
    list?.map((one) => (one.id === campaign ? { ...one, ranked_today: one.ranked_today + 1 } : one)),
  )
}

/** As the list of campaigns says, which the app asks for all the time. */
function useCampaign(campaign: number): Campaign | undefined {
  const { data } = useQuery({ queryKey: ['campaigns'], queryFn: listCampaigns, enabled: false })
  return data?.find(({ id }) => id === campaign)
}
