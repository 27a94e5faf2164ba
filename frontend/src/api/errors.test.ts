// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { ApiError, refusal } from './errors'

const errorOf = (status: number, code = 'refused') => new ApiError({ status, code, detail: 'No.' })

describe('a refusal', () => {
  it("carries the server's code, words and fields", async () => {
    const body = JSON.stringify({ code: 'invalid', detail: 'Look again.', fields: { tiers: ['Too short.'] } })

    const error = await refusal(new Response(body, { status: 400 }))

    expect(error).toMatchObject({ status: 400, code: 'invalid', detail: 'Look again.', message: 'Look again.' })
    expect(error.fields).toEqual({ tiers: ['Too short.'] })
  })

  it.each([
    ['a page of a proxy', '<html>Bad gateway</html>'],
    ['nothing', ''],
    ['a JSON word', '"no"'],
    ['null', 'null'],
  ])('of which only the status is known says that: %s', async (_, body) => {
    const error = await refusal(new Response(body, { status: 502 }))

    expect(error).toMatchObject({ status: 502, code: 'http_502', detail: '', fields: {} })
  })
})

describe('an error', () => {
  it.each([0, 429, 500, 502, 503])('of status %i may pass', (status) => {
    expect(errorOf(status).isTemporary).toBe(true)
  })

  it.each([400, 403, 404, 409, 413])('of status %i stays', (status) => {
    expect(errorOf(status).isTemporary).toBe(false)
  })

  it('tells a session that ended from something forbidden', () => {
    expect(errorOf(403, 'not_authenticated').isSignedOut).toBe(true)
    expect(errorOf(403, 'permission_denied').isSignedOut).toBe(false)
  })
})
