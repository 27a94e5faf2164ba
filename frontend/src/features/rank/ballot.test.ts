// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { someJoining, someMove, TYPES } from '@/testing/moves'

import {
  apply,
  type Ballot,
  EMPTY,
  isComplete,
  isUntouched,
  left,
  type Move,
  readBallot,
} from './ballot'
import { moveDown, moveUp, rankOf, type Tiers, toggleTie } from './tiers'

const [ANNA, BEN, CLEO, DEV] = [11, 5, 42, 7] as const
const FOUR = [ANNA, BEN, CLEO, DEV]
const someCandidates = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { minLength: 2, maxLength: 9 })

/** Candidates, a ballot about them that moves can lead to, and one of the candidates. */
const someBallot = someCandidates.chain((candidates) =>
  fc.record({
    candidates: fc.constant(candidates),
    ballot: fc.array(someMove(candidates), { maxLength: 25 }).map((moves) => play(candidates, moves)),
    id: fc.constantFrom(...candidates),
  }),
)

const shuffled = (ids: readonly number[]) => fc.shuffledSubarray([...ids], { minLength: ids.length })

function play(candidates: readonly number[], moves: readonly Move[], from: Ballot = EMPTY): Ballot {
  return moves.reduce((ballot, move) => apply(ballot, move, candidates), from)
}

function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b)
}

/** The order without one: what a move of that one has no business to change. */
function orderOfOthers(tiers: Tiers, id: number): [number, number, number][] {
  const others = tiers.flat().filter((other) => other !== id)
  return others.flatMap((a) =>
    others.map((b): [number, number, number] => [a, b, Math.sign(rankOf(tiers, a)! - rankOf(tiers, b)!)]),
  ).sort(([a, b], [c, d]) => a - c || b - d)
}

describe('every move', () => {
  it('keeps each candidate in exactly one place: a tier, the unacceptable, or left', () => {
    fc.assert(
      fc.property(someBallot, ({ candidates, ballot }) => {
        const everywhere = [...ballot.tiers.flat(), ...ballot.unacceptable, ...left(ballot, candidates)]

        expect(sorted(everywhere)).toEqual(sorted(candidates))
        expect(ballot.tiers.every((tier) => tier.length > 0)).toBe(true)
        expect(isComplete(ballot, candidates)).toBe(left(ballot, candidates).length === 0)
      }),
    )
  })

  it('ignores a completion that is not a candidate here', () => {
    fc.assert(
      fc.property(someBallot, fc.constantFrom(...TYPES), ({ candidates, ballot }, type) => {
        expect(apply(ballot, { type, id: 1000 }, candidates)).toBe(ballot)
      }),
    )
  })

  it('answers the same object when nothing changes, and never changes the one it was given', () => {
    fc.assert(
      fc.property(someBallot, fc.constantFrom(...TYPES), ({ candidates, ballot, id }, type) => {
        const before = JSON.stringify(ballot)

        const after = apply(ballot, { type, id }, candidates)

        expect(JSON.stringify(ballot)).toBe(before)
        if (JSON.stringify(after) === before) expect(after).toBe(ballot)
      }),
    )
  })

  it('does not depend on the order in which the candidates are shown', () => {
    const shownTwice = someCandidates.chain((ids) =>
      fc.tuple(fc.array(someMove(ids), { maxLength: 25 }), fc.constant(ids), shuffled(ids)),
    )
    fc.assert(
      fc.property(shownTwice, ([moves, here, there]) => {
        expect(play(there, moves)).toEqual(play(here, moves))
      }),
    )
  })

  it('leaves the order of the others as it is when it moves one within the ranking', () => {
    const types = fc.constantFrom('moveUp' as const, 'moveDown' as const, 'tieWithAbove' as const)
    fc.assert(
      fc.property(someBallot, types, ({ candidates, ballot, id }, type) => {
        const after = apply(ballot, { type, id }, candidates)

        expect(orderOfOthers(after.tiers, id)).toEqual(orderOfOthers(ballot.tiers, id))
      }),
    )
  })
})

describe('placing', () => {
  it('ranks in the order chosen, and the last one left fills itself', () => {
    fc.assert(
      fc.property(someCandidates.chain(shuffled), (order) => {
        const candidates = [...order].sort()
        const ballot = play(candidates, order.slice(0, -1).map((id) => ({ type: 'place', id })))

        expect(ballot.tiers).toEqual(order.map((id) => [id]))
        expect(ballot.filled).toBe(order.at(-1))
      }),
    )
  })

  it('fills nothing while two are left', () => {
    const ballot = play(FOUR, [{ type: 'place', id: BEN }, { type: 'place', id: DEV }])

    expect(ballot).toEqual({ tiers: [[BEN], [DEV]], unacceptable: [], filled: null })
  })

  it('fills nothing after a tie: the last one may be tied too', () => {
    const ballot = play(FOUR, [
      { type: 'place', id: BEN },
      { type: 'place', id: DEV },
      { type: 'tie', id: ANNA },
    ])

    expect(left(ballot, FOUR)).toEqual([CLEO])
  })

  it('brings back what was unacceptable', () => {
    const ballot = play(FOUR, [{ type: 'reject', id: CLEO }, { type: 'place', id: CLEO }])

    expect(ballot).toEqual({ tiers: [[CLEO]], unacceptable: [], filled: null })
  })

  it('does not place twice', () => {
    const once = play(FOUR, [{ type: 'place', id: ANNA }])

    expect(apply(once, { type: 'place', id: ANNA }, FOUR)).toBe(once)
  })

  it('makes the one that filled itself a choice when it is chosen after all', () => {
    const chosen = play([ANNA, BEN], [{ type: 'place', id: ANNA }, { type: 'place', id: BEN }])

    expect(chosen).toEqual({ tiers: [[ANNA], [BEN]], unacceptable: [], filled: null })
  })
})

describe('tying', () => {
  it('joins the one placed last', () => {
    const ballot = play(FOUR, [
      { type: 'place', id: BEN },
      { type: 'place', id: DEV },
      { type: 'tie', id: ANNA },
      { type: 'tie', id: CLEO },
    ])

    expect(ballot.tiers).toEqual([[BEN], [DEV, ANNA, CLEO]])
  })

  it('of one that is placed already joins the tier above', () => {
    const ballot = play(FOUR, [
      { type: 'place', id: BEN },
      { type: 'place', id: DEV },
      { type: 'tie', id: DEV },
    ])

    expect(ballot.tiers).toEqual([[BEN, DEV]])
  })

  it('turned around twice is as it was', () => {
    fc.assert(
      fc.property(someBallot, ({ ballot, id }) => {
        expect(toggleTie(toggleTie(ballot.tiers, id), id)).toEqual(ballot.tiers)
      }),
    )
  })

  it('splits before the one whose sign was turned', () => {
    expect(toggleTie([[ANNA, BEN, CLEO]], BEN)).toEqual([[ANNA], [BEN, CLEO]])
    expect(toggleTie([[ANNA], [BEN, CLEO]], BEN)).toEqual([[ANNA, BEN, CLEO]])
  })
})

describe('moving', () => {
  it('goes out of a tie before it goes past a tier', () => {
    expect(moveUp([[ANNA], [BEN, CLEO]], CLEO)).toEqual([[ANNA], [CLEO], [BEN]])
    expect(moveUp([[ANNA], [CLEO], [BEN]], CLEO)).toEqual([[CLEO], [ANNA], [BEN]])
    expect(moveDown([[BEN, CLEO], [ANNA]], BEN)).toEqual([[CLEO], [BEN], [ANNA]])
    expect(moveDown([[CLEO], [BEN], [ANNA]], BEN)).toEqual([[CLEO], [ANNA], [BEN]])
  })

  it('down undoes up wherever nothing is tied', () => {
    fc.assert(
      fc.property(someCandidates, fc.nat(), (candidates, at) => {
        const tiers = candidates.map((id) => [id])
        const id = candidates[1 + (at % (candidates.length - 1))]!

        expect(moveDown(moveUp(tiers, id), id)).toEqual(tiers)
      }),
    )
  })

  it('stops at both ends', () => {
    const tiers = [[ANNA], [BEN]]

    expect(moveUp(tiers, ANNA)).toBe(tiers)
    expect(moveDown(tiers, BEN)).toBe(tiers)
  })
})

describe('bringing one anywhere', () => {
  it('leaves the order of the others as it is', () => {
    const here = someBallot.chain((given) => someJoining(given.candidates).map((move) => ({ ...given, move })))
    fc.assert(
      fc.property(here, ({ candidates, ballot, move }) => {
        fc.pre(move.type === 'insert' || move.type === 'join')
        const { id } = move as { id: number }

        const after = apply(ballot, move, candidates)

        expect(orderOfOthers(after.tiers, id)).toEqual(orderOfOthers(ballot.tiers, id))
      }),
    )
  })

  it('puts it before another one, after all of them, or beside another one', () => {
    const ballot: Ballot = { tiers: [[ANNA], [BEN, CLEO]], unacceptable: [DEV], filled: null }

    expect(apply(ballot, { type: 'insert', id: DEV, before: CLEO }, FOUR).tiers).toEqual([[ANNA], [DEV], [BEN, CLEO]])
    expect(apply(ballot, { type: 'insert', id: ANNA, before: null }, FOUR).tiers).toEqual([[BEN, CLEO], [ANNA]])
    expect(apply(ballot, { type: 'join', id: DEV, other: ANNA }, FOUR)).toEqual({
      tiers: [[ANNA, DEV], [BEN, CLEO]],
      unacceptable: [],
      filled: null,
    })
  })

  it('does nothing beside what has no place itself', () => {
    const ballot = play(FOUR, [{ type: 'place', id: ANNA }])

    expect(apply(ballot, { type: 'join', id: BEN, other: CLEO }, FOUR)).toBe(ballot)
    expect(apply(ballot, { type: 'insert', id: BEN, before: CLEO }, FOUR)).toBe(ballot)
  })
})

describe('preferring one of two', () => {
  const TWO = [ANNA, BEN]

  it('is complete at once, and can be said again otherwise', () => {
    const much = play(TWO, [{ type: 'prefer', id: BEN, strength: 3 }])
    const less = apply(much, { type: 'prefer', id: ANNA, strength: 1 }, TWO)
    const equal = apply(less, { type: 'equal' }, TWO)

    expect(much).toEqual({ tiers: [[BEN], [ANNA]], unacceptable: [], filled: null, strength: 3 })
    expect(less).toEqual({ tiers: [[ANNA], [BEN]], unacceptable: [], filled: null, strength: 1 })
    expect(equal).toEqual({ tiers: [[BEN, ANNA]], unacceptable: [], filled: null })
  })

  it('leaves the worse one unacceptable where it was', () => {
    const ballot = play(TWO, [{ type: 'reject', id: BEN }, { type: 'prefer', id: ANNA, strength: 2 }])

    expect(ballot).toEqual({ tiers: [[ANNA]], unacceptable: [BEN], filled: null, strength: 2 })
    expect(isComplete(ballot, TWO)).toBe(true)
  })

  it('says no strength of an order that has changed since', () => {
    const types = ['moveDown', 'tieWithAbove', 'toggleTie', 'reject', 'takeBack'] as const
    const ballot = play(TWO, [{ type: 'prefer', id: BEN, strength: 3 }])

    const after = types.map((type) => apply(ballot, { type, id: type === 'moveDown' ? BEN : ANNA }, TWO))

    expect(after.every(({ strength }) => strength === undefined)).toBe(true)
  })
})

describe('calling unacceptable', () => {
  it('takes it out of the ranking, and twice leaves it undecided', () => {
    const placed = play(FOUR, [{ type: 'place', id: ANNA }, { type: 'place', id: BEN }])

    const once = apply(placed, { type: 'reject', id: ANNA }, FOUR)
    const twice = apply(once, { type: 'reject', id: ANNA }, FOUR)

    expect(once).toEqual({ tiers: [[BEN]], unacceptable: [ANNA], filled: null })
    expect(left(twice, FOUR)).toEqual([ANNA, CLEO, DEV])
  })

  it('is a complete answer when it is said of all', () => {
    const ballot = play(FOUR, FOUR.map((id) => ({ type: 'reject', id })))

    expect(ballot.tiers).toEqual([])
    expect(isComplete(ballot, FOUR)).toBe(true)
    expect(isUntouched(ballot)).toBe(false)
  })
})

describe('taking back', () => {
  it('leaves it undecided, and with it what had filled itself', () => {
    const full = play(FOUR, [ANNA, BEN, CLEO].map((id) => ({ type: 'place', id })))

    const ballot = apply(full, { type: 'takeBack', id: ANNA }, FOUR)

    expect(ballot).toEqual({ tiers: [[BEN], [CLEO]], unacceptable: [], filled: null })
  })

  it('of everything, one by one, ends where it began', () => {
    fc.assert(
      fc.property(someBallot, ({ candidates, ballot }) => {
        const emptied = play(candidates, candidates.map((id) => ({ type: 'takeBack', id })), ballot)

        expect(emptied.tiers).toEqual([])
        expect(emptied.unacceptable).toEqual([])
      }),
    )
  })
})

describe('clearing', () => {
  it('leaves nothing, at once', () => {
    fc.assert(
      fc.property(someBallot, ({ candidates, ballot }) => {
        expect(isUntouched(apply(ballot, { type: 'clear' }, candidates))).toBe(true)
      }),
    )
  })
})

describe('a ballot kept on the device', () => {
  it('is read as it was', () => {
    fc.assert(
      fc.property(someBallot, ({ candidates, ballot }) => {
        expect(readBallot(JSON.parse(JSON.stringify(ballot)), candidates)).toEqual(ballot)
      }),
    )
  })

  it.each([
    ['nothing', null],
    ['words', 'A > B'],
    ['half a ballot', { tiers: [[ANNA]] }],
    ['tiers that are none', { tiers: [ANNA], unacceptable: [] }],
    ['a stranger', { tiers: [[ANNA, 1000]], unacceptable: [] }],
    ['one named twice', { tiers: [[ANNA], [ANNA]], unacceptable: [] }],
    ['one both ranked and unacceptable', { tiers: [[ANNA]], unacceptable: [ANNA] }],
  ])('is not believed where it holds %s', (_, kept) => {
    expect(readBallot(kept, FOUR)).toBeNull()
  })

  it('loses empty tiers and a filled one that is in no tier', () => {
    const kept = { tiers: [[], [ANNA]], unacceptable: [BEN], filled: BEN }

    expect(readBallot(kept, FOUR)).toEqual({ tiers: [[ANNA]], unacceptable: [BEN], filled: null })
  })
})
