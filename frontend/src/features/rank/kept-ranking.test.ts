// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { openKept, readKept, readThere } from './kept-ranking'

const HALF = { ballot: 'half' }
const MORE = { ballot: 'more' }
const AT = Date.UTC(2026, 10, 24, 12)

const here = (content: object, revision: number) => ({ at: AT, value: { content, revision } })
const there = (content: object, revision: number, device = 'phone') => ({
  content: { content, device },
  revision,
  saved_at: '2026-11-24T11:00:00Z',
})

describe('opening a ranking', () => {
  it('begins with nothing where nothing was kept', () => {
    expect(openKept(null, null, 'desk')).toEqual({ content: null, revision: 0, isAhead: false, parted: null })
  })

  it('goes on with what another device saved', () => {
    expect(openKept(null, there(HALF, 3), 'desk')).toEqual({ content: HALF, revision: 3, isAhead: false, parted: null })
  })

  it('goes on with what this device kept, and brings it to the server', () => {
    expect(openKept(here(HALF, 0), null, 'desk')).toEqual({ content: HALF, revision: 0, isAhead: true, parted: null })
    expect(openKept(here(MORE, 3), there(HALF, 3), 'desk')).toMatchObject({ content: MORE, revision: 3, isAhead: true, parted: null })
  })

  it('takes its own text at the server for older, whatever the revision: the answer got lost', () => {
    expect(openKept(here(MORE, 2), there(HALF, 3, 'desk'), 'desk')).toMatchObject({ content: MORE, revision: 3, parted: null })
  })

  it('goes on from the later revision where what came with the assignment is older', () => {
    expect(openKept(here(MORE, 5), there(HALF, 3), 'desk')).toMatchObject({ content: MORE, revision: 5, parted: null })
  })

  it('asks where another device went another way, with both times', () => {
    const { content, revision, parted } = openKept(here(HALF, 2), there(MORE, 3), 'desk')

    expect([content, revision]).toEqual([HALF, 3])
    expect(parted).toEqual({ mine: { content: HALF, at: AT }, theirs: { content: MORE, at: Date.UTC(2026, 10, 24, 11) } })
  })

  it('asks nothing where both say the same', () => {
    expect(openKept(here(HALF, 2), there(HALF, 3), 'desk')).toMatchObject({ isAhead: false, parted: null })
  })

  it.each([null, 'words', 3, [], {}, { content: [] }, { content: null }])('takes what cannot be read for nothing: %j', (value) => {
    expect([readKept(value), readThere(value)]).toEqual([null, null])
  })
})
