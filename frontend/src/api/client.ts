import createClient from 'openapi-fetch'

import { ApiError, refusal } from './errors'
import type { paths } from './schema'
import { noteServerTime } from './server-time'

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

const askers = new Set<() => void>()

/** Call ``ask`` whenever the server hands out nothing before somebody agrees; returns how to stop. */
export function onConsentNeeded(ask: () => void): () => void {
  askers.add(ask)
  return () => void askers.delete(ask)
}

const endings = new Set<(error: ApiError) => void>()

/** Call ``hear`` whenever the server no longer takes the page for that of who is signed in; returns how to stop. */
export function onSignedOut(hear: (error: ApiError) => void): () => void {
  endings.add(hear)
  return () => void endings.delete(hear)
}

let acting: number | null = null

/** From now on say whose work is sent, so that it is never taken for that of somebody else who signs in. */
export function actAs(person: number | null): void {
  acting = person
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
    // What is somebody's in particular says so itself.
    if (acting !== null && !request.headers.has('X-Person')) request.headers.set('X-Person', String(acting))
    return request
  },
  async onResponse({ request, response }) {
    noteServerTime(response.headers.get('Date'))
    if (response.ok) return response
    const error = await refusal(response)
    if (error.code === 'consent_needed') askers.forEach((ask) => ask())
    // An answer to who was here before is none of who is here now.
    if (error.isSignedOut && request.headers.get('X-Person') === String(acting)) endings.forEach((hear) => hear(error))
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
