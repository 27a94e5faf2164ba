import { vi } from 'vitest'

export type Asked = { method: string; path: string; headers: Headers; body: unknown }

type Answer = { status?: number; body?: unknown }

/** Stand in for the network: what the page asks, and what it is answered. An answer that throws is no network. */
export function answerWith(answer: (asked: Asked) => Answer): Asked[] {
  const all: Asked[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const text = await request.text()
    const asked = {
      method: request.method,
      path: new URL(request.url).pathname,
      headers: request.headers,
      body: text ? (JSON.parse(text) as unknown) : null,
    }
    all.push(asked)
    const { status = 200, body } = answer(asked)
    return new Response(body === undefined ? null : JSON.stringify(body), { status })
  })
  return all
}
