import { useSyncExternalStore } from 'react'

import {
  ApiError,
  correctRanking,
  type CorrectionBody,
  type RankingBody,
  type Sending,
  type SubmissionBody,
  submitDemonstration,
  submitRanking,
} from '@/api'
import { dropDraft } from '@/shared/drafts'
import { type Answer, Outbox, type Told } from '@/shared/outbox'
import { BrowserStore, type Item } from '@/shared/outbox-store'
import { useOnline } from '@/shared/use-online'

const LONGEST_MS = 30_000
/** A browser lets requests go on after their page only up to 64 KB in all. */
const KEPT_ALIVE = 20_000
/** As many as the server lets a page name. */
const MOST_HELD = 20

const holders = new Set<() => string[]>()

/** Say which assignments the page has, so that none of them is handed out once more; returns how to stop. */
export function onHolding(held: () => string[]): () => void {
  holders.add(held)
  return () => void holders.delete(held)
}

const submit = (item: Item, how: Sending) => {
  const holding = [...holders].flatMap((held) => held()).slice(0, MOST_HELD)
  return submitRanking(item.target, { ...(item.body as RankingBody), holding }, how)
}

const correct = (item: Item, how: Sending) => correctRanking(item.target, item.body as CorrectionBody, how)

const SEND: Record<string, (item: Item, how: Sending) => Promise<unknown>> = {
  ranking: submit,
  // Taken back and handed in again: where the first one had arrived all the same, this corrects it.
  resubmission: (item, how) =>
    submit(item, how).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'already_submitted') return correct(item, how)
      throw error
    }),
  correction: correct,
  demonstration: (item, how) => submitDemonstration(Number(item.target), item.body as SubmissionBody, how),
}

async function send(item: Item): Promise<Answer> {
  const { person } = item
  const keepalive = JSON.stringify(item.body).length < KEPT_ALIVE
  try {
    const answer = await SEND[item.kind]!(item, { person, signal: AbortSignal.timeout(LONGEST_MS), keepalive })
    return { kind: 'stored', answer }
  } catch (error) {
    return answerOf(error)
  }
}

function answerOf(error: unknown): Answer {
  // What is no answer of ours (a portal's page, a proxy's) is none.
  if (!(error instanceof ApiError) || error.status === 0) return { kind: 'unreachable' }
  if (error.isSignedOut) return { kind: 'signedOut' }
  if (error.isTemporary || error.code === 'csrf_failed') return { kind: 'busy' }
  const { status, code, detail } = error
  return { kind: 'refused', refusal: { status, code, detail } }
}

const outboxes = new Map<number, { outbox: Outbox; close: () => void }>()

/** The outbox of who is signed in: one for the whole page, at work from the first call on. */
export function outboxOf(person: number): Outbox {
  const known = outboxes.get(person)
  if (known) return known.outbox
  // Somebody else is signed in by now: what the first one has waits in the store.
  closeOutboxes()
  const opened = open(person)
  outboxes.set(person, opened)
  return opened.outbox
}

/** Stop all of them: what they have stays in the store. */
export function closeOutboxes(): void {
  outboxes.forEach(({ close }) => close())
  outboxes.clear()
}

function open(person: number) {
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('rankwright.outbox') : null
  const outbox = new Outbox({ person, store: new BrowserStore(), send, tell: (told) => channel?.postMessage(told) })
  outbox.onSettled((item, { kind }) => {
    if (kind !== 'refused') dropDraft({ kind: item.kind === 'demonstration' ? 'demonstration' : 'ranking', person, id: item.target })
  })
  const hear = ({ data }: MessageEvent<Told>) => void (data.person === person && outbox.hear(data))
  const look = () => document.visibilityState === 'visible' && outbox.hurry()
  channel?.addEventListener('message', hear)
  addEventListener('online', outbox.hurry)
  document.addEventListener('visibilitychange', look)
  void outbox.load().then(() => outbox.flush())
  const close = () => {
    outbox.close()
    channel?.close()
    removeEventListener('online', outbox.hurry)
    document.removeEventListener('visibilitychange', look)
  }
  return { outbox, close }
}

export function useOutbox(person: number) {
  const outbox = outboxOf(person)
  const state = useSyncExternalStore(outbox.subscribe, outbox.snapshot)
  return { outbox, state }
}

/** Nobody is reached: as the browser says, or as the last attempt showed. */
export function useOffline(person: number): boolean {
  const isOnline = useOnline()
  return useOutbox(person).state.isUnreachable || !isOnline
}
