import { describe, expect, it, vi } from 'vitest'

import { entryOf, isNewVersionThere } from './new-version'

const page = (entry: string) => `<html><head>
  <script type="module" crossorigin src="/static/app/assets/${entry}"></script>
  <link rel="modulepreload" crossorigin href="/static/app/assets/other-11111111.js"></head></html>`
const RUNNING = '/static/app/assets/app-11111111.js'

function serve(body: string, status = 200) {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status })))
}

describe('a new version', () => {
  it('is known by the script that its page starts with', () => {
    expect(entryOf(page('app-11111111.js'))).toBe(RUNNING)
    expect(entryOf('<p>The screens are not built yet.</p>')).toBeNull()
  })

  it('is there when the page starts with another script', async () => {
    serve(page('app-22222222.js'))

    expect(await isNewVersionThere(RUNNING, '/app/')).toBe(true)
  })

  it.each([
    ['the same build', page('app-11111111.js'), 200],
    ['an error', page('app-22222222.js'), 503],
    ['some other page', '<p>Maintenance</p>', 200],
  ])('is not there for %s', async (_, body, status) => {
    serve(body, status)

    expect(await isNewVersionThere(RUNNING, '/app/')).toBe(false)
  })

  it('is not there when nobody answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))

    expect(await isNewVersionThere(RUNNING, '/app/')).toBe(false)
  })
})
