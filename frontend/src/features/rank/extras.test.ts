// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Extras, NO_EXTRAS, readExtras, say, type Saying } from './extras'
import { FLAGS } from './flags'

const [ANNA, BEN] = [11, 5] as const
const IDS = [ANNA, BEN]

const id = fc.constantFrom(...IDS)
const flag = fc.constantFrom(...FLAGS)
const passage = fc.record({ start: fc.nat(5), length: fc.integer({ min: 1, max: 5 }), flag }).map(
  ({ start, length, flag: named }) => ({ start, end: start + length, flag: named }),
)
const someSayings = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('rate' as const), id, axis: fc.constantFrom('helpful', 'true'), rating: fc.integer({ min: 1, max: 7 }) }),
    fc.record({ type: fc.constant('flag' as const), id, flag }),
    fc.record({ type: fc.constantFrom('mark' as const, 'unmark' as const), id, passage }),
    fc.record({ type: fc.constant('explain' as const), words: fc.string() }),
    fc.record({ type: fc.constant('edit' as const), id, text: fc.string() }),
    fc.constant({ type: 'leaveUnedited' as const }),
  ),
  { maxLength: 20 },
)

const all = (sayings: readonly Saying[], from: Extras = NO_EXTRAS) => sayings.reduce(say, from)

/** Without what was said and taken back. */
const told = (extras: Extras) => readExtras(JSON.parse(JSON.stringify(extras)), IDS)

describe('what is said beside the order', () => {
  it('is kept on the device and read as it was', () => {
    fc.assert(
      fc.property(someSayings, (sayings) => {
        const extras = told(all(sayings))

        expect(told(extras)).toEqual(extras)
      }),
    )
  })

  it('is taken back by saying it again: a rating, a flag', () => {
    const twice = fc.oneof(
      fc.record({ type: fc.constant('rate' as const), id, axis: fc.constant('kind'), rating: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ type: fc.constant('flag' as const), id, flag }),
    )
    fc.assert(
      fc.property(someSayings, twice, (sayings, saying) => {
        const before = all(sayings)

        const after = all([saying, saying], before)

        const sorted = (extras: Extras) => JSON.stringify({ ...told(extras), flags: Object.values(told(extras).flags).map((some) => [...some].sort()) })
        expect(sorted(after)).toBe(sorted(before))
      }),
    )
  })

  it('has each passage once, in the order of the text, and none that was taken out', () => {
    fc.assert(
      fc.property(someSayings, passage, (sayings, one) => {
        const marked = all([{ type: 'mark', id: ANNA, passage: one }, { type: 'mark', id: ANNA, passage: one }], all(sayings))
        const passages = marked.spans[ANNA]!

        expect(passages.filter((other) => JSON.stringify(other) === JSON.stringify(one))).toHaveLength(1)
        expect([...passages].sort((a, b) => a.start - b.start || a.end - b.end).map(({ start }) => start)).toEqual(
          passages.map(({ start }) => start),
        )
        expect(say(marked, { type: 'unmark', id: ANNA, passage: one }).spans[ANNA]).not.toContainEqual(one)
      }),
    )
  })

  it('of others, or of nothing that exists, is not believed', () => {
    const kept = {
      ratings: { [ANNA]: { helpful: 8, true: 3 }, [BEN]: { helpful: 'good' }, 1000: { helpful: 3 } },
      flags: { [ANNA]: ['opinion', 'boring'], [BEN]: 'opinion' },
      spans: { [ANNA]: [{ start: 4, end: 4, flag: 'opinion' }, { start: 0, end: 2, flag: 'opinion' }, null] },
      rationale: 7,
      edited: { id: 1000, text: 'Better.' },
    }

    expect(readExtras(kept, IDS)).toEqual({
      ratings: { [ANNA]: { true: 3 } },
      flags: { [ANNA]: ['opinion'] },
      spans: { [ANNA]: [{ start: 0, end: 2, flag: 'opinion' }] },
      rationale: '',
      edited: null,
    })
    expect(readExtras('words', IDS)).toEqual(NO_EXTRAS)
  })
})
