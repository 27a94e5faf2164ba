import { ApiError, type Assignment, type RankingBody } from '@/api'
import { dropDraft, draftIds, keepDraft, readDraft } from '@/shared/drafts'

/** Assignments held at a time: the one on screen, and the next, ready behind it. */
const HELD = 2

/** Ranking, or settling what others ranked differently: the same screen, handed out from two places. */
export type Work = 'rank' | 'adjudicate'

export type Judgement = Pick<RankingBody, 'tiers' | 'cannot_judge' | 'seconds_spent'> & { unacceptable: number[] }

/** A ranking that was handed in and is not stored yet. It stays on this device until it is. */
export type Unsent = { assignment: Assignment; body: RankingBody; error: unknown; isSending: boolean }

type KeptUnsent = Pick<Unsent, 'assignment' | 'body'> & { work?: Work }

export type QueueState = {
  status: 'loading' | 'ready' | 'failed'
  /** Why there is nothing to do, or why what was asked last was not done. */
  error: unknown
  /** The first one is on screen. */
  items: readonly Assignment[]
  unsent: readonly Unsent[]
  /** By assignment: why the server no longer takes what is on screen. */
  refused: ReadonlyMap<string, ApiError>
  /** The last one that was handed in came after somebody else had taken over: it is kept all the same. */
  isKeptAsSurplus: boolean
}

/** What the server says to a ranking: what comes next, and whether this one came too late to count. */
export type Submitted = { next: Assignment[]; isSurplus: boolean }

export type QueueServer = {
  claim: (holding: string[], count: number) => Promise<Assignment[]>
  submit: (id: string, body: RankingBody) => Promise<Submitted>
  skip: (id: string, reason: string, holding: string[]) => Promise<Assignment[]>
  extend: (id: string) => Promise<unknown>
}

type Options = { campaign: number; person: number; work?: Work; server: QueueServer; onSignedOut: () => void }

/** The labeler's assignments of one campaign: the next is there at once, and what was handed in is never lost. */
export class AssignmentQueue {
  private state: QueueState = { status: 'loading', error: null, items: [], unsent: [], refused: new Map(), isKeptAsSurplus: false }
  private readonly listeners = new Set<() => void>()
  private readonly options: Options
  private readonly work: Work
  private isClaiming = false

  constructor(options: Options) {
    this.options = options
    this.work = options.work ?? 'rank'
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly snapshot = (): QueueState => this.state

  /** Send what an earlier visit could not, then get something to do. */
  async start(): Promise<void> {
    this.set({ unsent: this.keptUnsent() })
    await this.sendUnsent()
    await this.refill()
  }

  /** Claim until two are held. */
  async refill(): Promise<void> {
    const wanted = HELD - this.state.items.length
    if (this.isClaiming || wanted <= 0) return
    this.isClaiming = true
    try {
      this.take(await this.options.server.claim(this.holding(), wanted))
    } catch (error) {
      this.report(error)
      if (this.state.items.length === 0) this.set({ status: 'failed', error })
    } finally {
      this.isClaiming = false
    }
  }

  /** Hand in a judgement; the next assignment is on screen before the server has answered. */
  async submit(assignment: Assignment, judgement: Judgement): Promise<void> {
    // A second click that was under way means the same.
    if (!this.state.items.some(({ id }) => id === assignment.id)) return
    const body = { ...judgement, idempotency_key: crypto.randomUUID() }
    this.leave(assignment.id)
    this.setUnsent({ assignment, body, error: null, isSending: true })
    await this.send(assignment.id)
  }

  async skip(assignment: Assignment, reason: string): Promise<void> {
    this.leave(assignment.id)
    try {
      const next = await this.options.server.skip(assignment.id, reason, this.holding())
      this.forget(assignment.id)
      this.take(next)
    } catch (error) {
      this.report(error)
      // A lease that ran out has given it back already.
      if (isRefusal(error)) return this.refill()
      this.putBack(assignment, error)
    }
  }

  /** Try everything that could not be stored once more. */
  async sendUnsent(): Promise<void> {
    for (const { assignment, isSending } of this.state.unsent) if (!isSending) await this.send(assignment.id)
  }

  /** Show a ranking again that was refused, to look at it or to copy from it. */
  reopen(id: string): void {
    const unsent = this.find(id)
    if (!unsent) return
    this.dropUnsent(id)
    this.putBack(unsent.assignment, unsent.error)
  }

  /** Give up one that the server no longer takes. */
  async discard(id: string): Promise<void> {
    this.dropUnsent(id)
    this.forget(id)
    this.leave(id)
    await this.refill()
  }

  /**
   * Keep the leases alive. One on screen whose time ran out is worked on all the same: the server keeps it. One
   * that is refused for another reason stays on screen with it; one held ahead just goes.
   */
  async beat(): Promise<void> {
    for (const [place, { id }] of this.state.items.entries()) {
      try {
        await this.options.server.extend(id)
      } catch (error) {
        this.report(error)
        if (!isRefusal(error)) continue
        if (place > 0) this.leave(id)
        else if (error.code !== 'lease_lost') this.refuse(id, error)
      }
    }
    await this.refill()
  }

  private async send(id: string): Promise<void> {
    const unsent = this.find(id)
    if (!unsent) return
    this.setUnsent({ ...unsent, isSending: true })
    try {
      const { next, isSurplus } = await this.options.server.submit(id, { ...unsent.body, holding: this.holding() })
      this.dropUnsent(id)
      this.forget(id)
      this.take(next)
      this.set({ isKeptAsSurplus: isSurplus })
      await this.refill()
    } catch (error) {
      this.report(error)
      this.setUnsent({ ...unsent, error, isSending: false })
      const current = this.state.items[0]
      const isBusy = current && readDraft(this.draftKey(current.id)) !== null
      if (isRefusal(error) && !isBusy) this.reopen(id)
    }
  }

  private take(offered: readonly Assignment[]): void {
    const known = new Set(this.holding())
    const items = [...this.state.items, ...offered.filter(({ id }) => !known.has(id))]
    this.set({ items, status: 'ready', error: null })
  }

  private putBack(assignment: Assignment, error: unknown): void {
    const items = [assignment, ...this.state.items.filter(({ id }) => id !== assignment.id)]
    this.set({ items, status: 'ready', error })
    if (isRefusal(error)) this.refuse(assignment.id, error)
  }

  private refuse(id: string, error: ApiError): void {
    this.set({ refused: new Map(this.state.refused).set(id, error), error: null })
  }

  private leave(id: string): void {
    const refused = new Map(this.state.refused)
    refused.delete(id)
    this.set({ items: this.state.items.filter((item) => item.id !== id), refused, error: null })
  }

  private holding(): string[] {
    return [...this.state.items.map(({ id }) => id), ...this.state.unsent.map(({ assignment }) => assignment.id)]
  }

  private find(id: string): Unsent | undefined {
    return this.state.unsent.find(({ assignment }) => assignment.id === id)
  }

  private setUnsent(unsent: Unsent): void {
    const { assignment, body } = unsent
    keepDraft(this.unsentKey(assignment.id), { assignment, body, work: this.work })
    const others = this.state.unsent.filter((other) => other.assignment.id !== assignment.id)
    this.set({ unsent: [...others, unsent] })
  }

  private dropUnsent(id: string): void {
    dropDraft(this.unsentKey(id))
    this.set({ unsent: this.state.unsent.filter(({ assignment }) => assignment.id !== id) })
  }

  private forget(id: string): void {
    dropDraft(this.draftKey(id))
  }

  private keptUnsent(): Unsent[] {
    return draftIds({ kind: 'unsent', person: this.options.person })
      .map((id) => readDraft(this.unsentKey(id)) as KeptUnsent | null)
      .filter((kept) => kept !== null && kept.assignment.campaign === this.options.campaign)
      .filter((kept) => (kept!.work ?? 'rank') === this.work)
      .map((kept) => ({ ...kept!, error: null, isSending: false }))
  }

  private draftKey(id: string) {
    return { kind: 'ranking', person: this.options.person, id } as const
  }

  private unsentKey(id: string) {
    return { kind: 'unsent', person: this.options.person, id } as const
  }

  private report(error: unknown): void {
    if (error instanceof ApiError && error.isSignedOut) this.options.onSignedOut()
  }

  private set(change: Partial<QueueState>): void {
    this.state = { ...this.state, ...change }
    this.listeners.forEach((listener) => listener())
  }
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && !error.isTemporary && !error.isSignedOut && error.code !== 'csrf_failed'
}
