import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'

import { claimAdjudications, claimAssignments, extendAssignment, skipAssignment } from '@/api'
import { onHolding, outboxOf } from '@/components/outbox'

import { AssignmentQueue, type QueueServer, type Work } from './queue'

const LOOK_AGAIN_MS = 30_000

/** The queue of one kind of work in a campaign, working while the component is shown. */
export function useQueue(campaign: number, person: number, work: Work) {
  const queries = useQueryClient()
  const [queue] = useState(
    () => new AssignmentQueue({ campaign, person, work, server: serverOf(campaign, work), outbox: outboxOf(person) }),
  )
  const state = useSyncExternalStore(queue.subscribe, queue.snapshot)

  useEffect(() => {
    const stop = [queue.listen(), onHolding(queue.holding)]
    void queue.start()
    const refill = () => void (queue.snapshot().items.length === 0 && queue.refill())
    const look = setInterval(refill, LOOK_AGAIN_MS)
    addEventListener('online', refill)
    return () => {
      stop.forEach((one) => one())
      clearInterval(look)
      removeEventListener('online', refill)
      void queries.invalidateQueries({ queryKey: [work === 'rank' ? 'campaigns' : 'reviews'] })
    }
  }, [queue, queries, work])

  return { queue, state }
}

function serverOf(campaign: number, work: Work): QueueServer {
  const claim = work === 'rank' ? claimAssignments : claimAdjudications
  return {
    claim: async (holding, count) => (await claim(campaign, { holding, count })).assignments,
    skip: async (id, reason, holding) => (await skipAssignment(id, { reason, holding })).next,
    extend: extendAssignment,
  }
}
