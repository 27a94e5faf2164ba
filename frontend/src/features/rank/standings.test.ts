// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { isDisputed, standingsOf } from './standings'

const ORDERS = [
  { tiers: [[11], [10, 12]], unacceptable: [13], cannot_judge: '', rationale: '' },
  { tiers: [], unacceptable: [], cannot_judge: 'facts', rationale: '' },
  { tiers: [[11], [12], [10]], unacceptable: [13], cannot_judge: '', rationale: '' },
]

describe('where labelers put a response', () => {
  it('is told of each who put it anywhere, by number', () => {
    expect(standingsOf(ORDERS, 10)).toEqual([
      { labeler: 1, rank: 2, isTied: true },
      { labeler: 3, rank: 3, isTied: false },
    ])
    expect(standingsOf(ORDERS, 13).map(({ rank }) => rank)).toEqual([null, null])
  })

  it('is disputed where they put it in different places', () => {
    expect([10, 11, 12, 13].filter((id) => isDisputed(standingsOf(ORDERS, id)))).toEqual([10])
  })
})
