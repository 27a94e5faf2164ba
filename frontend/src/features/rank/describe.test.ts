import i18next from 'i18next'
import { describe as group, expect, it } from 'vitest'

import { describe, letterIn } from './describe'
import { EMPTY } from './ballot'

const IDS = [30, 10, 20, 40]

group('a ballot in words', () => {
  it('begins with nothing', () => {
    expect(describe(EMPTY, IDS, i18next.t)).toBe('Nothing ranked. 4 left')
  })

  it('names responses by their place on screen, ties and unacceptable ones', () => {
    const ballot = { tiers: [[20], [30, 40]], unacceptable: [10], filled: null }

    expect(describe(ballot, IDS, i18next.t)).toBe('C > A = D. Unacceptable: B. Complete. Press Enter to submit')
  })

  it('counts what is left', () => {
    const ballot = { tiers: [[20], [30]], unacceptable: [10], filled: null }

    expect(describe(ballot, IDS, i18next.t)).toBe('C > A. Unacceptable: B. 1 left')
  })

  it('calls the first one shown A, whatever its id', () => {
    expect(IDS.map((id) => letterIn(IDS, id))).toEqual(['A', 'B', 'C', 'D'])
  })
})
