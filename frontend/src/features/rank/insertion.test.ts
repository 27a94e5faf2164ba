// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { apply, type Ballot, EMPTY, isComplete, type Move } from './ballot'
import { answer, comparedWith, searchIn, type Verdict } from './insertion'
import { rankOf } from './tiers'

/** Somebody with an opinion of everything: a number for each; equal numbers are a tie. */
const someOpinion = fc
  .uniqueArray(fc.integer({ min: 1, max: 999 }), { minLength: 2, maxLength: 9 })
  .chain((ids) => fc.record({ ids: fc.constant(ids), worth: fc.array(fc.nat(4), { minLength: ids.length, maxLength: ids.length }) }))

function compareAll(ids: readonly number[], verdictOf: (id: number, other: number) => Verdict, from: Ballot = EMPTY) {
  let [ballot, questions] = [from, 0]
  let search = searchIn(ballot, ids)
  while (search) {
    const outcome = answer(search, verdictOf(search.id, comparedWith(search, ballot, ids)), ballot, ids)
    questions += 1
    if ('search' in outcome) search = outcome.search
    else {
      ballot = outcome.moves.reduce((before: Ballot, move: Move) => apply(before, move, ids), ballot)
      search = searchIn(ballot, ids)
    }
  }
  return { ballot, questions }
}

describe('comparing two at a time', () => {
  it('ends with the order that the answers mean, ties included', () => {
    fc.assert(
      fc.property(someOpinion, ({ ids, worth }) => {
        const worthOf = (id: number) => worth[ids.indexOf(id)]!
        const verdictOf = (id: number, other: number) =>
          worthOf(id) > worthOf(other) ? 'better' : worthOf(id) < worthOf(other) ? 'worse' : 'equal'

        const { ballot } = compareAll(ids, verdictOf)

        expect(isComplete(ballot, ids)).toBe(true)
        for (const a of ids)
          for (const b of ids)
            expect(Math.sign(rankOf(ballot.tiers, a)! - rankOf(ballot.tiers, b)!)).toBe(Math.sign(worthOf(b) - worthOf(a)))
      }),
    )
  })

  it('asks no more than a search by halves needs: 21 questions for nine', () => {
    const most = [0, 1, 3, 5, 8, 11, 14, 17, 21]
    fc.assert(
      fc.property(someOpinion, fc.infiniteStream(fc.constantFrom<Verdict>('better', 'worse', 'equal')), ({ ids }, answers) => {
        const { questions } = compareAll(ids, () => answers.next().value!)

        expect(questions).toBeLessThanOrEqual(most[ids.length - 1]!)
      }),
    )
  })

  it('goes on from what was ranked otherwise, and leaves what is unacceptable alone', () => {
    const from: Ballot = { tiers: [[3], [1]], unacceptable: [4], filled: null }

    const { ballot } = compareAll([1, 2, 3, 4], () => 'better', from)

    expect(ballot).toEqual({ tiers: [[2], [3], [1]], unacceptable: [4], filled: null })
  })

  it('has nothing to ask of one alone', () => {
    expect(searchIn({ tiers: [], unacceptable: [1, 2], filled: null }, [1, 2, 3])).toBeNull()
    expect(searchIn({ tiers: [[1], [2]], unacceptable: [], filled: null }, [1, 2])).toBeNull()
  })
})
