import { beforeEach, describe, expect, it, vi } from 'vitest'

import { adoptPreferences, AS_THEY_COME, leavePreferences, prefer, type PreferenceChanges, readPreferences } from './preferences'

const ADA = 1
const BEN = 2
const OFFLINE = { isTemporary: true }
const REFUSED = { isTemporary: false }

/** A server that answers when it is told to. */
function server() {
  const asked: { changes: PreferenceChanges; answer: () => void; fail: (error: unknown) => void }[] = []
  const send = (changes: PreferenceChanges) =>
    new Promise<void>((answer, fail) => void asked.push({ changes, answer, fail }))
  return { asked, send }
}

const done = () => vi.waitFor(() => Promise.resolve())

beforeEach(() => {
  localStorage.clear()
  leavePreferences()
})

describe('preferences', () => {
  it('are as the screens come where nothing was chosen', () => {
    adoptPreferences(ADA, {}, server().send)

    expect(readPreferences()).toEqual({ ...AS_THEY_COME, language: null })
  })

  it('change at once, and the server is told', () => {
    const { asked, send } = server()
    adoptPreferences(ADA, { text_size: 18 }, send)

    prefer({ theme: 'dark' })

    expect(readPreferences()).toMatchObject({ theme: 'dark', text_size: 18 })
    expect(asked.map(({ changes }) => changes)).toEqual([{ theme: 'dark' }])
  })

  it('changed while a change is under way are told after it, the last choice last', async () => {
    const { asked, send } = server()
    adoptPreferences(ADA, {}, send)

    prefer({ theme: 'dark' })
    prefer({ text_size: 17 })
    prefer({ text_size: 18 })
    asked[0]!.answer()
    await vi.waitFor(() => expect(asked).toHaveLength(2))

    expect(asked[1]!.changes).toEqual({ text_size: 18 })
  })

  it('given back are as the screens come', () => {
    adoptPreferences(ADA, { theme: 'dark' }, server().send)

    prefer({ theme: null })

    expect(readPreferences().theme).toBe('system')
  })

  it('that could not be told stay, and are told when the network is back', async () => {
    const { asked, send } = server()
    adoptPreferences(ADA, {}, send)
    prefer({ theme: 'dark' })
    asked[0]!.fail(OFFLINE)
    await done()

    dispatchEvent(new Event('online'))

    expect(readPreferences().theme).toBe('dark')
    expect(asked.map(({ changes }) => changes)).toEqual([{ theme: 'dark' }, { theme: 'dark' }])
  })

  it('that the server refuses go back to what they were', async () => {
    const { asked, send } = server()
    adoptPreferences(ADA, { daily_goal: 40 }, send)
    prefer({ daily_goal: 10 ** 9 })

    asked[0]!.fail(REFUSED)

    await vi.waitFor(() => expect(readPreferences().daily_goal).toBe(40))
  })

  it('of one person are not told as those of another', () => {
    const { asked, send } = server()
    adoptPreferences(ADA, {}, () => Promise.reject(OFFLINE))
    prefer({ daily_goal: 80 })

    adoptPreferences(BEN, { theme: 'dark' }, send)

    expect(asked).toEqual([])
    expect(readPreferences()).toMatchObject({ daily_goal: 0, theme: 'dark' })
  })

  it('chosen before the sign-in are those of whoever signs in', () => {
    const { asked, send } = server()
    prefer({ language: 'zh-Hans' })

    adoptPreferences(ADA, { language: 'en' }, send)

    expect(readPreferences().language).toBe('zh-Hans')
    expect(asked.map(({ changes }) => changes)).toEqual([{ language: 'zh-Hans' }])
  })

  it('that are personal do not stay on the device when somebody leaves', () => {
    adoptPreferences(ADA, { daily_goal: 80, theme: 'dark', keys: { 'rank.skip': ['Q'] } }, server().send)

    leavePreferences()

    expect(readPreferences()).toMatchObject({ daily_goal: 0, theme: 'dark', keys: {} })
    expect(localStorage.getItem('rankwright.preferences')).not.toContain('80')
  })
})
