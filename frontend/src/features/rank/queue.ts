import { ApiError, type Assignment } from '@/api'
import { dropDraft, keepDraft, readDraft } from '@/shared/drafts'
import type { Outbox, Settled } from '@/shared/outbox'
import type { Item, Refusal } from '@/shared/outbox-store'
import { newKey } from '@/shared/unique'

import type { Judgement } from './judgement'

/** Assignments held at a time: the one on screen, and the next, ready behind it. */
const HELD = 2
/** As many as the server lets a page name. */
const MOST_NAMED = 20

/** What was sent is at fault, and may be changed. */
const CHANGEABLE = new Set([400, 413])

/** Ranking, or settling what others ranked differently: the same screen, handed out from two places. */
export type Work = 'rank' | 'adjudicate'

export type { Judgement } from './judgement'

/** An assignment on this page, and how it stands. */
export type Held = {
  assignment: Assignment
  /** What was handed in before: back on screen to be looked at again. */
  initial?: Judgement
  /** It is stored at the server: what is handed in now corrects it. */
  isCorrection?: boolean
  /** It was taken back unsent, as far as this page knows: an answer may have got lost on the way. */
  isTakenBack?: boolean
  /** Its time ran out; it can be handed in all the same. */
  isLost?: boolean
  /** The server's no to what was handed in, which is still in the outbox under this key. */
  refused?: { key: string | null; refusal: Refusal }
}

/** The last one that was handed in, to be taken back with one key. */
export type Last = { key: string; held: Held; judgement: Judgement }

export type QueueState = {
  status: 'loading' | 'ready' | 'failed'
  /** Why there is nothing to do, or why what was asked last was not done. */
  error: unknown
  /** The first one is on screen. */
  items: readonly Held[]
  last: Last | null
  /** The last one that was handed in came after somebody else had taken over: it is kept all the same. */
  isKeptAsSurplus: boolean
  /** The last one was skipped, and what was written of it is kept on this device. */
  isSkippedTextKept: boolean
}

export type QueueServer = {
  claim: (holding: string[], count: number) => Promise<Assignment[]>
  skip: (id: string, reason: string, holding: string[]) => Promise<Assignment[]>
  extend: (id: string) => Promise<{ lease_expires_at: string | null }>
}

type Options = { campaign: number; person: number; work?: Work; server: QueueServer; outbox: Outbox }

/** What the server answers to a ranking that was handed in. */
type Stored = { next?: Assignment[]; kept_as_surplus?: boolean }

/** The labeler's assignments of one campaign: the next is there at once, and what is handed in goes to the outbox. */
export class AssignmentQueue {
  private state: QueueState = {
    status: 'loading',
    error: null,
    items: [],
    last: null,
    isKeptAsSurplus: false,
    isSkippedTextKept: false,
  }
  private readonly listeners = new Set<() => void>()
  private readonly options: Options
  private readonly path: string
  private isClaiming = false

  constructor(options: Options) {
    this.options = options
    this.path = `/${options.work ?? 'rank'}/${options.campaign}`
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly snapshot = (): QueueState => this.state

  /** Hear what becomes of what was handed in; returns how to stop. */
  listen(): () => void {
    const { outbox } = this.options
    const stop = [
      outbox.onSettled((item, outcome) => void this.follow(item, outcome)),
      outbox.subscribe(() => this.leaveSent()),
      outbox.subscribe(() => this.showAsked()),
    ]
    this.showAsked()
    return () => stop.forEach((one) => one())
  }

  /** What an earlier visit left goes first: the server then offers it no more. */
  async start(): Promise<void> {
    await this.options.outbox.ready()
    await this.refill()
  }

  /** Claim until two are held. */
  async refill(): Promise<void> {
    const wanted = HELD - this.state.items.filter(({ isCorrection }) => !isCorrection).length
    if (this.isClaiming || wanted <= 0) return
    this.isClaiming = true
    try {
      this.take(await this.options.server.claim(this.holding().slice(0, MOST_NAMED), wanted))
    } catch (error) {
      if (this.state.items.length === 0) this.set({ status: 'failed', error })
    } finally {
      this.isClaiming = false
    }
  }

  /** Hand in a judgement; the next assignment is on screen before the server has answered. */
  submit(id: string, judgement: Judgement): void {
    const held = this.find(id)
    // A second click that was under way means the same.
    if (!held) return
    const key = newKey()
    const kind = held.isCorrection ? 'correction' : held.isTakenBack ? 'resubmission' : 'ranking'
    this.leave(id)
    this.set({ last: { key, held, judgement }, isKeptAsSurplus: false, isSkippedTextKept: false })
    // What takes the place of one that was refused goes instead of it.
    if (held.refused?.key) void this.options.outbox.withdraw(held.refused.key)
    const body = { ...judgement, idempotency_key: key }
    this.options.outbox.add({ key, kind, target: id, path: this.path, body, shown: held.assignment })
  }

  /** Bring back what was handed in last: out of the outbox where it still is, else to be corrected. */
  async undo(): Promise<void> {
    const { last } = this.state
    if (!last) return
    this.set({ last: null })
    const { held, judgement, key } = last
    const isUnsent = await this.options.outbox.withdraw(key)
    if (this.options.outbox.find(key)?.refusal) return this.reopen(key)
    const isCorrection = held.isCorrection || !isUnsent
    this.putBack({ assignment: held.assignment, initial: judgement, isCorrection, isTakenBack: !isCorrection })
  }

  /** It is too late to take it back with one key. */
  forgetLast(key: string): void {
    if (this.state.last?.key === key) this.set({ last: null })
  }

  forgetSkipped(): void {
    this.set({ isSkippedTextKept: false })
  }

  async skip(id: string, reason: string): Promise<void> {
    const held = this.find(id)
    if (!held) return
    this.leave(id)
    const written = this.setAside(held.assignment, reason)
    this.set({ isSkippedTextKept: written !== null })
    try {
      this.take(await this.options.server.skip(id, reason, this.holding().slice(0, MOST_NAMED)))
    } catch (error) {
      // A lease that ran out has given it back already.
      if (isRefusal(error)) return this.refill()
      if (written !== null) keepDraft(this.draftKey(id), written)
      this.set({ isSkippedTextKept: false })
      this.putBack(held, error)
    }
  }

  /** Show one again that was refused, to look at it, to change it or to copy from it. */
  reopen(key: string): void {
    const item = this.options.outbox.find(key)
    if (!item?.refusal || item.path !== this.path) return
    const { kind, shown, body, refusal } = item
    const assignment = shown as Assignment
    this.putBack({ assignment, initial: body as Judgement, isCorrection: kind === 'correction', refused: { key, refusal } })
  }

  /** Give up one that the server no longer takes, or a correction. */
  async discard(id: string): Promise<void> {
    const held = this.find(id)
    this.leave(id)
    this.forget(id)
    if (held?.refused?.key) await this.options.outbox.withdraw(held.refused.key)
    await this.refill()
  }

  /**
   * Keep the leases alive. One on screen whose time ran out is worked on all the same: the server keeps it. One
   * that is refused for another reason stays on screen with it; one held ahead just goes.
   */
  async beat(): Promise<void> {
    for (const { assignment, isCorrection } of this.state.items) {
      if (isCorrection) continue
      try {
        const { lease_expires_at } = await this.options.server.extend(assignment.id)
        if (lease_expires_at) this.change(assignment.id, { assignment: { ...assignment, lease_expires_at }, isLost: false })
      } catch (error) {
        // Nobody there: asking for the others, or for more, would only wait in vain.
        if (!isRefusal(error)) return
        this.loseLease(assignment.id, error)
      }
    }
    await this.refill()
  }

  private loseLease(id: string, error: ApiError): void {
    if (this.state.items[0]?.assignment.id !== id) return this.leave(id)
    if (error.code === 'lease_lost') return this.change(id, { isLost: true })
    const { status, code, detail } = error
    this.change(id, { refused: { key: null, refusal: { status, code, detail } } })
  }

  private async follow(item: Item, outcome: Settled): Promise<void> {
    if (item.path !== this.path) return
    if (outcome.kind === 'refused') {
      this.forgetLast(item.key)
      const current = this.state.items[0]
      const isBusy = current && readDraft(this.draftKey(current.assignment.id)) !== null
      // Who is at work on another one is told in the header, and goes on.
      if (!isBusy) this.reopen(item.key)
      return
    }
    const { next = [], kept_as_surplus = false } = outcome.kind === 'stored' ? (outcome.answer as Stored) : {}
    if (outcome.kind === 'elsewhere' && item.kind !== 'correction') this.leave(item.target)
    this.take(next)
    if (kept_as_surplus) this.set({ isKeptAsSurplus: true })
    // Each one that is still on its way brings the next.
    if (!this.sent().some(({ refusal }) => !refusal)) await this.refill()
  }

  /** Somebody wants to see what was refused. */
  private showAsked(): void {
    const key = this.options.outbox.askedAt(this.path)
    if (key) this.reopen(key)
  }

  /** Another tab handed in what this one shows. */
  private leaveSent(): void {
    const sent = new Set(this.sent().filter(({ kind, refusal }) => kind !== 'correction' && !refusal).map(({ target }) => target))
    const items = this.state.items.filter(({ assignment, isCorrection }) => isCorrection || !sent.has(assignment.id))
    if (items.length === this.state.items.length) return
    this.set({ items })
    void this.refill()
  }

  private take(offered: readonly Assignment[]): void {
    const known = new Set(this.holding())
    const fresh = offered.filter(({ id }) => !known.has(id)).map((assignment) => ({ assignment }))
    this.set({ items: [...this.state.items, ...fresh], status: 'ready', error: null })
  }

  private putBack(held: Held, error: unknown = null): void {
    const others = this.state.items.filter(({ assignment }) => assignment.id !== held.assignment.id)
    this.set({ items: [held, ...others], status: 'ready', error })
  }

  private leave(id: string): void {
    this.set({ items: this.state.items.filter(({ assignment }) => assignment.id !== id), error: null })
  }

  private change(id: string, change: Partial<Held>): void {
    this.set({ items: this.state.items.map((held) => (held.assignment.id === id ? { ...held, ...change } : held)) })
  }

  private find(id: string): Held | undefined {
    return this.state.items.find(({ assignment }) => assignment.id === id)
  }

  /** What is on this page, and what is in the outbox: neither is to be handed out once more. */
  readonly holding = (): string[] => {
    return [...this.state.items.map(({ assignment }) => assignment.id), ...this.sent().map(({ target }) => target)]
  }

  /** What this screen handed in and the server does not have. */
  private sent(): Item[] {
    return this.options.outbox.snapshot().items.filter(({ path }) => path === this.path)
  }

  /** What was written of one that is skipped stays on this device, where its writer finds it. */
  private setAside({ id, prompt }: Assignment, reason: string): unknown {
    const written = readDraft(this.draftKey(id))
    if (written !== null) keepDraft({ ...this.draftKey(id), kind: 'skipped' }, { prompt, reason, written })
    this.forget(id)
    return written
  }

  private forget(id: string): void {
    dropDraft(this.draftKey(id))
  }

  private draftKey(id: string) {
    return { kind: 'ranking', person: this.options.person, id } as const
  }

  private set(change: Partial<QueueState>): void {
    this.state = { ...this.state, ...change }
    this.listeners.forEach((listener) => listener())
  }
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && !error.isTemporary && !error.isSignedOut && error.code !== 'csrf_failed'
}

/** What the server never takes, however it is changed. */
export function isForGood({ refused }: Held): boolean {
  return refused !== undefined && !CHANGEABLE.has(refused.refusal.status)
}
