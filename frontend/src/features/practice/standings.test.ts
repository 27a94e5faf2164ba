// @vitest-environment node
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { compare, type Order } from './standings'

const IDS = [11, 12, 13, 14, 15]

/** Any order of the ids. */
const orders: fc.Arbitrary<Order> = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 5, maxLength: 5 }).map((levels) => {
  const at = (level: number) => IDS.filter((_, place) => levels[place] === level)
  return { tiers: [0, 1, 2, 3, 4].map(at).filter((tier) => tier.length > 0), unacceptable: at(5) }
})

describe('comparing with the known order', () => {
  it('finds every response in its place when both say the same', () => {
    fc.assert(fc.property(orders, (order) => compare(order, order).every(({ above, below, own, known }) => above.length + below.length === 0 && own === known)))
  })

  it('names every response once, in the known order', () => {
    fc.assert(
      fc.property(orders, orders, (own, known) => {
        expect(compare(own, known).map(({ id }) => id)).toEqual([...known.tiers.flat(), ...known.unacceptable])
      }),
    )
  })

  it('tells of every two in the wrong order at both of them', () => {
    fc.assert(
      fc.property(orders, orders, (own, known) => {
        const compared = compare(own, known)
        const pairs = (from: 'above' | 'below') => compared.flatMap((one) => one[from].map((other) => [one.id, other]))
        expect(pairs('below').map(([id, other]) => `${other}>${id}`).sort()).toEqual(pairs('above').map(([id, other]) => `${id}>${other}`).sort())
      }),
    )
  })

  it('finds as little wrong whatever responses are called', () => {
    const renamed = ({ tiers, unacceptable }: Order): Order => ({
      tiers: tiers.map((tier) => tier.map((id) => 100 - id)),
      unacceptable: unacceptable.map((id) => 100 - id),
    })
    fc.assert(
      fc.property(orders, orders, (own, known) => {
        const marks = (compared: ReturnType<typeof compare>) => compared.map(({ above, below }) => [above.length, below.length])
        expect(marks(compare(renamed(own), renamed(known)))).toEqual(marks(compare(own, known)))
      }),
    )
  })

  it('takes either order for a known tie, and no tie for a known order', () => {
    const tie = { tiers: [[11, 12], [13]], unacceptable: [] }
    const strict = { tiers: [[12], [11], [13]], unacceptable: [] }

    expect(compare(strict, tie).flatMap(({ above, below }) => [...above, ...below])).toEqual([])
    expect(compare(tie, strict).map(({ id, above, below }) => [id, above, below])).toEqual([[12, [11], []], [11, [], [12]], [13, [], []]])
  })

  it('finds nothing in its place where nothing was ranked', () => {
    const known = { tiers: [[11], [12]], unacceptable: [13] }

    const compared = compare({ tiers: [], unacceptable: [] }, known)

    expect(compared.map(({ own, above, below }) => [own, above, below])).toEqual([
      [null, [12, 13], []],
      [null, [13], [11]],
      [null, [], [11, 12]],
    ])
  })
})
