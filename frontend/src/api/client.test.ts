import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { actAs, ApiError, getMe, onSignedOut, saveRankingDraft, signIn, signOut } from './index'

const CREDENTIALS = { username: 'ada', password: 'correct horse' }

describe('the client', () => {
  const asked: Request[] = []
  let answer: () => Response

  beforeEach(() => {
    asked.length = 0
    document.cookie = 'csrftoken=t0ken'
    vi.stubGlobal('fetch', async (request: Request) => {
      asked.push(request)
      return answer()
    })
  })

  afterEach(() => {
    document.cookie = 'csrftoken=; max-age=0'
  })

  it('gives what the server answered', async () => {
    answer = () => Response.json({ id: 7, username: 'ada' })

    expect(await getMe()).toEqual({ id: 7, username: 'ada' })
    expect(asked[0]!.credentials).toBe('same-origin')
  })

  it('shows the CSRF token when it changes something, and only then', async () => {
    answer = () => Response.json({})
    await getMe()
    await signIn(CREDENTIALS)
    answer = () => new Response(null, { status: 204 })
    await signOut()

    expect(asked.map((request) => request.headers.get('X-CSRFToken'))).toEqual([null, 't0ken', 't0ken'])
  })

  it('throws a refusal with its code', async () => {
    answer = () => Response.json({ code: 'bad_credentials', detail: 'Wrong password.' }, { status: 400 })

    await expect(signIn(CREDENTIALS)).rejects.toMatchObject({ code: 'bad_credentials', detail: 'Wrong password.' })
    await expect(signIn(CREDENTIALS)).rejects.toBeInstanceOf(ApiError)
  })

  it('throws something temporary when nobody answers', async () => {
    answer = () => {
      throw new TypeError('Failed to fetch')
    }

    await expect(getMe()).rejects.toMatchObject({ status: 0, code: 'unreachable', isTemporary: true })
  })
})

describe('a session that ended', () => {
  const asked: Request[] = []
  const hear = vi.fn()
  let stop: () => void

  beforeEach(() => {
    asked.length = 0
    hear.mockClear()
    stop = onSignedOut(hear)
    vi.stubGlobal('fetch', async (request: Request) => {
      asked.push(request)
      return new Response(JSON.stringify({ code: 'other_person', detail: 'Somebody else is signed in.' }), { status: 403 })
    })
  })

  afterEach(() => {
    stop()
    actAs(null)
    vi.unstubAllGlobals()
  })

  it('is told to who is at work, and what is sent says whose it is', async () => {
    actAs(7)

    await getMe().catch(() => undefined)

    expect(asked[0]!.headers.get('X-Person')).toBe('7')
    expect(hear).toHaveBeenCalledOnce()
  })

  it('is not told to who came after', async () => {
    actAs(8)

    await saveRankingDraft('1', { content: {}, revision: 0 }, { person: 7 }).catch(() => undefined)

    expect(asked[0]!.headers.get('X-Person')).toBe('7')
    expect(hear).not.toHaveBeenCalled()
  })
})
