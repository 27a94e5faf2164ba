// @vitest-environment node
import { describe, expect, it } from 'vitest'

import type { Asks } from '@/api'

import type { Ballot } from './ballot'
import { type Extras, NO_EXTRAS } from './extras'
import { ASKS_NOTHING, judgementOf, missingFrom, openingOf } from './judgement'

const [ANNA, BEN, CLEO] = [11, 5, 42] as const
const IDS = [ANNA, BEN, CLEO]
const ORDERED: Ballot = { tiers: [[BEN], [ANNA]], unacceptable: [CLEO], filled: null }
const RATED: Extras = { ...NO_EXTRAS, ratings: { [ANNA]: { kind: 3 }, [BEN]: { kind: 7 }, [CLEO]: { kind: 1 } } }

const asks = (changes: Partial<Asks>): Asks => ({ ...ASKS_NOTHING, ...changes })

describe('a judgement', () => {
  it('is no more than the order where nothing else is said', () => {
    expect(judgementOf(ORDERED, NO_EXTRAS, 4)).toEqual({
      tiers: [[BEN], [ANNA]],
      unacceptable: [CLEO],
      cannot_judge: '',
      seconds_spent: 4,
    })
  })

  it('has what was said of each, and nothing of those of whom nothing is said any more', () => {
    const extras: Extras = {
      ratings: { [ANNA]: { kind: 3 }, [BEN]: {} },
      flags: { [ANNA]: [], [CLEO]: ['opinion'] },
      spans: { [BEN]: [{ start: 0, end: 4, flag: 'opinion' }], [CLEO]: [] },
      rationale: ' It helps. ',
      edited: { id: BEN, text: 'Salt it well.' },
    }

    expect(judgementOf({ ...ORDERED, strength: 2 }, extras, 4)).toMatchObject({
      strength: 2,
      ratings: { [ANNA]: { kind: 3 } },
      flags: { [CLEO]: ['opinion'] },
      spans: { [BEN]: [{ start: 0, end: 4, flag: 'opinion' }] },
      rationale: 'It helps.',
      edited: { id: BEN, text: 'Salt it well.' },
    })
  })

  it('improves only the best one; where none is good enough, any', () => {
    const edited = { ...NO_EXTRAS, edited: { id: CLEO, text: 'Salt it well.' } }

    expect(judgementOf(ORDERED, edited, 4)).not.toHaveProperty('edited')
    expect(judgementOf({ tiers: [], unacceptable: IDS, filled: null }, edited, 4)).toHaveProperty('edited.id', CLEO)
  })

  it('can be looked at again as it was handed in', () => {
    const extras: Extras = { ...RATED, rationale: 'It helps.', flags: { [CLEO]: ['opinion'] } }
    const handedIn = judgementOf(ORDERED, extras, 4)

    const { ballot, extras: again, seconds } = openingOf(null, JSON.parse(JSON.stringify(handedIn)), IDS)

    expect(judgementOf(ballot, again, seconds)).toEqual(handedIn)
  })

  it('goes on from what was kept, rather than from what was handed in', () => {
    const kept = { ballot: { tiers: [[ANNA]], unacceptable: [], filled: null }, extras: RATED, seconds: 9 }

    expect(openingOf(kept, judgementOf(ORDERED, NO_EXTRAS, 4), IDS)).toEqual({ ...kept, extras: RATED })
  })
})

describe('what is missing', () => {
  const unplaced: Ballot = { tiers: [[BEN]], unacceptable: [], filled: null }
  const two: Ballot = { tiers: [[ANNA], [BEN]], unacceptable: [], filled: null }

  it.each([
    ['places', unplaced, NO_EXTRAS, asks({ rationale: 'required' }), { what: 'place', ids: [ANNA, CLEO] }],
    ['a rating of one', ORDERED, { ...RATED, ratings: { ...RATED.ratings, [BEN]: {} } }, asks({ rating_axes: ['kind'] }), { what: 'rating', ids: [BEN] }],
    ['one of two axes', ORDERED, RATED, asks({ rating_axes: ['kind', 'true'] }), { what: 'rating', ids: IDS }],
    ['a required reason', ORDERED, { ...NO_EXTRAS, rationale: ' ' }, asks({ rationale: 'required' }), { what: 'rationale' }],
    ['words of an improved response', ORDERED, { ...NO_EXTRAS, edited: { id: BEN, text: ' ' } }, asks({ edit: true }), { what: 'edit' }],
    ['nothing where all is said', ORDERED, RATED, asks({ rating_axes: ['kind'], rationale: 'optional', flags: true }), null],
  ] as const)('is %s', (_, ballot, extras, asked, missing) => {
    expect(missingFrom(ballot, extras, IDS, asked)).toEqual(missing)
  })

  it('is a strength only of two, where one is better', () => {
    const strength = asks({ strength: true })

    expect(missingFrom(two, NO_EXTRAS, [ANNA, BEN], strength)).toEqual({ what: 'strength' })
    expect(missingFrom({ ...two, strength: 1 }, NO_EXTRAS, [ANNA, BEN], strength)).toBeNull()
    expect(missingFrom({ ...two, tiers: [[ANNA, BEN]] }, NO_EXTRAS, [ANNA, BEN], strength)).toBeNull()
    expect(missingFrom({ ...two, tiers: [], unacceptable: [ANNA, BEN] }, NO_EXTRAS, [ANNA, BEN], strength)).toBeNull()
    expect(missingFrom(ORDERED, NO_EXTRAS, IDS, strength)).toBeNull()
  })
})
