/** Best tier first; completions that share a tier are tied. Ids, never positions. */
export type Tiers = readonly (readonly number[])[]

/** 1 for the best tier; null where it is in none. */
export function rankOf(tiers: Tiers, id: number): number | null {
  const index = tierOf(tiers, id)
  return index === -1 ? null : index + 1
}

/** Join the tier above: "these two are equally good". */
export function tieWithAbove(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from <= 0) return tiers
  return withoutEmpty(
    tiers.map((tier, i) => (i === from - 1 ? [...tier, id] : tier.filter((other) => other !== id))),
  )
}

/** One place better: out of a tie, or past the whole tier above. */
export function moveUp(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from === -1) return tiers
  const isTied = tiers[from]!.length > 1
  if (!isTied && from === 0) return tiers
  return insert(without(tiers, id), isTied ? from : from - 1, id)
}

/** One place worse: out of a tie, or past the whole tier below. */
export function moveDown(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from === -1) return tiers
  const isTied = tiers[from]!.length > 1
  if (!isTied && from === tiers.length - 1) return tiers
  return insert(without(tiers, id), from + 1, id)
}

/** Turn the sign before ``id`` around: ">" becomes "=", "=" becomes ">". Nothing else changes. */
export function toggleTie(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from === -1) return tiers
  const tier = tiers[from]!
  const within = tier.indexOf(id)
  if (within > 0) {
    return [...tiers.slice(0, from), tier.slice(0, within), tier.slice(within), ...tiers.slice(from + 1)]
  }
  if (from === 0) return tiers
  return [...tiers.slice(0, from - 1), [...tiers[from - 1]!, ...tier], ...tiers.slice(from + 1)]
}

/** A place of its own before the tier of ``before``, or after all of them. */
export function insertBefore(tiers: Tiers, id: number, before: number | null): Tiers {
  if (before === id) return tiers
  const others = without(tiers, id)
  const at = before === null ? others.length : tierOf(others, before)
  return at === -1 ? tiers : insert(others, at, id)
}

/** The same place as ``other``, which has one. */
export function joinTier(tiers: Tiers, id: number, other: number): Tiers {
  if (id === other || rankOf(tiers, other) === null || tierOf(tiers, id) === tierOf(tiers, other)) return tiers
  return without(tiers, id).map((tier) => (tier.includes(other) ? [...tier, id] : tier))
}

export function areSame(one: Tiers, other: Tiers): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function tierOf(tiers: Tiers, id: number): number {
  return tiers.findIndex((tier) => tier.includes(id))
}

function insert(tiers: Tiers, at: number, id: number): Tiers {
  return [...tiers.slice(0, at), [id], ...tiers.slice(at)]
}

export function without(tiers: Tiers, id: number): Tiers {
  return withoutEmpty(tiers.map((tier) => tier.filter((other) => other !== id)))
}

export function withoutEmpty(tiers: Tiers): Tiers {
  return tiers.filter((tier) => tier.length > 0)
}
