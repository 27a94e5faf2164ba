import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'

import { claimAssignments, extendAssignment, skipAssignment, submitRanking } from '@/api'

import { AssignmentQueue, type QueueServer } from './queue'

const BEAT_MS = 60_000
const LOOK_AGAIN_MS = 30_000

/** The queue of one campaign, working while the component is shown. */
export function useQueue(campaign: number, person: number) {
  const queries = useQueryClient()
  const [queue] = useState(
    () =>
      new AssignmentQueue({
        campaign,
        person,
        server: serverOf(campaign),
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
      void queries.invalidateQueries({ queryKey: ['campaigns'] })
    }
  }, [queue, queries])

  return { queue, state }
}

function serverOf(campaign: number): QueueServer {
  return {
    claim: async (holding, count) => (await claimAssignments(campaign, { holding, count })).assignments,
    submit: async (id, body) => {
      const { next, kept_as_surplus } = await submitRanking(id, body)
      return { next, isSurplus: kept_as_surplus }
    },
    skip: async (id, reason, holding) => (await skipAssignment(id, { reason, holding })).next,
    extend: extendAssignment,
  }
}
