/** Tiers, best first, above what is unacceptable. Ids, never positions. */
export type Order = { readonly tiers: readonly (readonly number[])[]; readonly unacceptable: readonly number[] }

/** The rank of a response, 1 for the best tier; null where it was not ranked at all. */
export type Standing = number | 'unacceptable' | null

export type Compared = {
  id: number
  known: Standing
  own: Standing
  /** The responses that it belongs above, and below, and in one's own order does not stand so. */
  above: number[]
  below: number[]
}

/** Every response in the known order, where it stands there and in one's own, and what is wrong with that. */
export function compare(own: Order, known: Order): Compared[] {
  const ids = [...known.tiers.flat(), ...known.unacceptable]
  return ids.map((id) => {
    // Where the known order says nothing of two responses, a tie or both unacceptable, any order fits.
    const amiss = (wanted: number) =>
      ids.filter((other) => outcome(known, id, other) === wanted && outcome(own, id, other) !== wanted)
    return { id, known: standingOf(known, id), own: standingOf(own, id), above: amiss(1), below: amiss(-1) }
  })
}

export function standingOf({ tiers, unacceptable }: Order, id: number): Standing {
  if (unacceptable.includes(id)) return 'unacceptable'
  const index = tiers.findIndex((tier) => tier.includes(id))
  return index === -1 ? null : index + 1
}

/** 1: the first is better, -1: worse, 0: the order does not say. */
function outcome(order: Order, one: number, other: number): number {
  const [first, second] = [levelOf(order, one), levelOf(order, other)]
  return first === null || second === null ? 0 : Math.sign(second - first)
}

function levelOf(order: Order, id: number): number | null {
  const standing = standingOf(order, id)
  return standing === 'unacceptable' ? order.tiers.length + 1 : standing
}
