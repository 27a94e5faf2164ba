// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { missing, readBeside, toggle } from './beside'

const REMOVED = { draft: { key: 7, role: 'user', content: 'And then?' }, at: 1 } as const

describe('what is kept beside the turns', () => {
  it('is read again, with keys that no turn has', () => {
    const { removed, ticks } = readBeside(JSON.parse(JSON.stringify({ removed: [REMOVED], ticks: ['It is kind.'] })))

    expect(removed).toEqual([{ draft: { ...REMOVED.draft, key: -1 }, at: 1 }])
    expect(ticks).toEqual(['It is kind.'])
  })

  it.each([
    ['nothing', null],
    ['words', 'And then?'],
    ['turns of nobody', { removed: [{ draft: { role: 'system', content: 'Be kind.' }, at: 0 }] }],
    ['turns from nowhere', { removed: [{ ...REMOVED, at: -1 }, { draft: REMOVED.draft }, null] }],
    ['ticks that are no sentences', { ticks: [1, null] }],
  ])('is not believed where there is %s', (_, kept) => {
    expect(readBeside(kept)).toEqual({ removed: [], ticks: [] })
  })
})

describe('the checklist', () => {
  it('lacks what is not ticked, and forgets ticks of sentences that are gone', () => {
    expect(missing(['It is kind.', 'It is short.'], ['It is short.', 'It rhymes.'])).toEqual(['It is kind.'])
  })

  it('takes a tick back', () => {
    expect(toggle(toggle([], 'It is kind.'), 'It is kind.')).toEqual([])
  })
})
