// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { apply, type Ballot } from './ballot'
import { moveOfDrop } from './drop'
import { rankOf } from './tiers'

const IDS = [3, 1, 2, 5]
const ballotOf = (tiers: number[][]): Ballot => ({ tiers, unacceptable: [], filled: null })

/** Tiers of these, and two of them. */
const someDrop = fc.record({
  order: fc.shuffledSubarray(IDS, { minLength: 4 }),
  cuts: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  chips: fc.shuffledSubarray(IDS, { minLength: 2, maxLength: 2 }),
})

function tiersOf(order: readonly number[], cuts: readonly boolean[]): number[][] {
  return order.reduce((tiers: number[][], id, place) => (place > 0 && !cuts[place] ? [...tiers.slice(0, -1), [...tiers.at(-1)!, id]] : [...tiers, [id]]), [])
}

describe('a chip let go', () => {
  it('on another one is equal to it; before or after it stands just there', () => {
    fc.assert(
      fc.property(someDrop, fc.constantFrom('on' as const, 'before' as const, 'after' as const), ({ order, cuts, chips }, drop) => {
        const [id, other] = chips as [number, number]
        const { tiers } = ballotOf(tiersOf(order, cuts))

        const after = apply(ballotOf(tiersOf(order, cuts)), moveOfDrop(id, other, drop, tiers), IDS).tiers

        const apart = rankOf(after, id)! - rankOf(after, other)!
        expect(apart).toBe(drop === 'on' ? 0 : drop === 'before' ? -1 : 1)
        if (drop !== 'on') expect(after[rankOf(after, id)! - 1]).toEqual([id])
      }),
    )
  })
})
