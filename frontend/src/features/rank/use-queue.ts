import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'

import { claimAdjudications, claimAssignments, extendAssignment, skipAssignment, submitRanking } from '@/api'

import { AssignmentQueue, type QueueServer, type Work } from './queue'

const BEAT_MS = 60_000
const LOOK_AGAIN_MS = 30_000

/** The queue of one kind of work in a campaign, working while the component is shown. */
export function useQueue(campaign: number, person: number, work: Work) {
  const queries = useQueryClient()
  const [queue] = useState(
    () =>
      new AssignmentQueue({
        campaign,
        person,
        work,
        server: serverOf(campaign, work),
        onSignedOut: () => void queries.invalidateQueries({ queryKey: ['me'] }),
      }),
  )
  const state = useSyncExternalStore(queue.subscribe, queue.snapshot)

  useEffect(() => {
    void queue.start()
    const beat = setInterval(() => void queue.beat(), BEAT_MS)
    const look = setInterval(() => {
      void queue.sendUnsent()
      if (queue.snapshot().items.length === 0) void queue.refill()
    }, LOOK_AGAIN_MS)
    const online = () => void queue.sendUnsent()
    addEventListener('online', online)
    return () => {
      clearInterval(beat)
      clearInterval(look)
      removeEventListener('online', online)
      void queries.invalidateQueries({ queryKey: [work === 'rank' ? 'campaigns' : 'reviews'] })
    }
  }, [queue, queries, work])

  return { queue, state }
}

function serverOf(campaign: number, work: Work): QueueServer {
  const claim = work === 'rank' ? claimAssignments : claimAdjudications
  return {
    claim: async (holding, count) => (await claim(campaign, { holding, count })).assignments,
    submit: async (id, body) => {
      const { next, kept_as_surplus } = await submitRanking(id, body)
      return { next, isSurplus: kept_as_surplus }
    },
    skip: async (id, reason, holding) => (await skipAssignment(id, { reason, holding })).next,
    extend: extendAssignment,
  }
}
