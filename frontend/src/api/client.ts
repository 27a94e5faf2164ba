import createClient from 'openapi-fetch'

import { ApiError, refusal } from './errors'
import type { paths } from './schema'

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

const askers = new Set<() => void>()

/** Call ``ask`` whenever the server hands out nothing before somebody agrees; returns how to stop. */
export function onConsentNeeded(ask: () => void): () => void {
  askers.add(ask)
  return () => void askers.delete(ask)
}

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? '',
  credentials: 'same-origin',
  // Looked up at each call, so that a test can stand in for the network.
  fetch: (request) => globalThis.fetch(request),
})

client.use({
  onRequest({ request }) {
    if (UNSAFE.has(request.method)) request.headers.set('X-CSRFToken', csrfToken())
    return request
  },
  async onResponse({ response }) {
    if (response.ok) return response
    const error = await refusal(response)
    if (error.code === 'consent_needed') askers.forEach((ask) => ask())
    throw error
  },
  onError({ error }) {
    return error instanceof ApiError ? error : new ApiError({ status: 0, code: 'unreachable', detail: '' })
  },
})

/** What a call answered; refusals were thrown on the way. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call
  return data as T
}

function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? ''
}
