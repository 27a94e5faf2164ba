import type { Move } from './ballot'
import type { Tiers } from './tiers'

/** Where a chip is let go: before or after another one's tier, or on it. */
export type Drop = 'before' | 'after' | 'on'

/** Between chips is a place of its own; on a chip is the same place. */
export function moveOfDrop(id: number, other: number, drop: Drop, tiers: Tiers): Move {
  if (drop === 'on') return { type: 'join', id, other }
  const at = tiers.findIndex((tier) => tier.includes(other))
  const beyond = drop === 'before' ? at : at + 1
  // Itself, alone in the tier it would be put before, means the one behind that.
  const before = tiers.slice(beyond).flat().find((one) => one !== id)
  return { type: 'insert', id, before: before ?? null }
}
