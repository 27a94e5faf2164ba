import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { deviceKeeps } from './device'
import { dropDraft, draftIds, dropOldDrafts, keepDraft, readDraft } from './drafts'

const DAY = 24 * 3600 * 1000
const NOON = Date.UTC(2026, 10, 24, 12)
const ADAS = { kind: 'ranking', person: 7, id: 3 } as const

describe('a draft', () => {
  it('is read as it was kept', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null), (value) => {
        keepDraft(ADAS, value)

        expect(readDraft(ADAS)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('belongs to one person, one kind of work and one item', () => {
    keepDraft(ADAS, "Ada's")

    expect(readDraft({ ...ADAS, person: 8 })).toBeNull()
    expect(readDraft({ ...ADAS, kind: 'review' })).toBeNull()
    expect(readDraft({ ...ADAS, id: 33 })).toBeNull()
  })

  it('is gone once it is dropped', () => {
    keepDraft(ADAS, 'half')

    dropDraft(ADAS)

    expect(readDraft(ADAS)).toBeNull()
  })

  it.each(['{', '"words"', '[]', 'null', ''])('that cannot be read is none: %s', (text) => {
    localStorage.setItem('rankwright.draft.ranking.7.3', text)

    expect(readDraft(ADAS)).toBeNull()
  })

  it('that does not fit lives as long as the page, which says so', () => {
    const full = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError')
    })

    const isKept = keepDraft(ADAS, 'much')

    full.mockRestore()
    expect([isKept, deviceKeeps()]).toEqual([false, false])
    expect(readDraft(ADAS)).toBe('much')
    expect(keepDraft(ADAS, 'more')).toBe(true)
    expect([readDraft(ADAS), deviceKeeps()]).toEqual(['more', true])
  })

  it('is kept by the page where a browser forbids storage at its name', () => {
    vi.stubGlobal('localStorage', undefined)

    expect(keepDraft(ADAS, 'half')).toBe(false)

    expect(readDraft(ADAS)).toBe('half')
    expect(draftIds(ADAS)).toEqual(['3'])
    dropDraft(ADAS)
    expect(readDraft(ADAS)).toBeNull()
  })
})

describe('the drafts of a person', () => {
  it('are counted without those of others whose number begins alike', () => {
    for (const [person, id] of [[7, 20], [7, 3], [77, 4]] as const) keepDraft({ kind: 'skipped', person, id }, 'x')
    keepDraft({ kind: 'ranking', person: 7, id: 5 }, 'x')

    expect(draftIds({ kind: 'skipped', person: 7 })).toEqual(['20', '3'])
  })
})

describe('old drafts', () => {
  it('are forgotten after two weeks, broken ones at once', () => {
    keepDraft({ ...ADAS, id: 1 }, 'old', NOON - 15 * DAY)
    keepDraft({ ...ADAS, id: 2 }, 'recent', NOON - 13 * DAY)
    localStorage.setItem('rankwright.draft.ranking.7.3', '{')

    dropOldDrafts(NOON)

    expect(draftIds(ADAS)).toEqual(['2'])
  })

  it('stay where they are not ours', () => {
    localStorage.setItem('somebody.else', 'theirs')

    dropOldDrafts(NOON)

    expect(localStorage.getItem('somebody.else')).toBe('theirs')
  })
})
