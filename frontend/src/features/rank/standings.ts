import type { Order } from '@/api'

import { rankOf } from './tiers'

/** Where one labeler put a response. They have numbers, no names. */
export type Standing = { labeler: number; rank: number | null; isTied: boolean }

/** Where each labeler put this one; rank null is unacceptable. Who could not judge put it nowhere. */
export function standingsOf(orders: readonly Order[], id: number): Standing[] {
  return orders.flatMap(({ tiers, unacceptable }, place) => {
    const rank = rankOf(tiers, id)
    if (rank === null && !unacceptable.includes(id)) return []
    return [{ labeler: place + 1, rank, isTied: rank !== null && tiers[rank - 1]!.length > 1 }]
  })
}

/** Whether labelers put it in different places. */
export function isDisputed(standings: readonly Standing[]): boolean {
  return new Set(standings.map(({ rank }) => rank)).size > 1
}
