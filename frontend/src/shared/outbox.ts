import type { Item, OutboxStore, Refusal } from './outbox-store'
import { unlessElsewhere } from './tab-locks'

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000
const STORE_MS = 2000

/** How a server took what was sent. Only "refused" is for good. */
export type Answer =
  | { kind: 'stored'; answer: unknown }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'unreachable' | 'busy' | 'signedOut' }

/** The end of an item's journey: "elsewhere" means that another tab sent it. */
export type Settled = Extract<Answer, { kind: 'stored' | 'refused' }> | { kind: 'elsewhere' }

export type OutboxState = {
  /** What is not stored yet, in the order in which it was handed in. */
  items: readonly Item[]
  sending: string | null
  /** The last time, nobody answered. */
  isUnreachable: boolean
  /** What is here survives the page; false: this browser keeps nothing. */
  isKept: boolean
}

type Options = { person: number; store: OutboxStore; send: (item: Item) => Promise<Answer>; tell?: (message: Told) => void }

/** What one tab tells the others: that something changed, and what is not in the outbox any more. */
export type Told = { person: number; gone: { item: Item; isStored: boolean } | null }

export type NewItem = Omit<Item, 'person' | 'at' | 'order' | 'refusal'>

/** One person's outbox: kept before it is sent, sent in order, tried again until somebody has answered. */
export class Outbox {
  private state: OutboxState = { items: [], sending: null, isUnreachable: false, isKept: true }
  private readonly listeners = new Set<() => void>()
  private readonly settlers = new Set<(item: Item, outcome: Settled) => void>()
  /** Being written to the store, or not written because the store refused. */
  private readonly writing = new Map<string, Promise<unknown>>()
  private readonly unkept = new Set<string>()
  /** Gone for good, whatever a slow store still says. */
  private readonly erased = new Set<string>()
  private readonly options: Options
  private run: Promise<void> | null = null
  private isAskedAgain = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private isClosed = false
  private asked: string | null = null

  constructor(options: Options) {
    this.options = options
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  readonly snapshot = (): OutboxState => this.state

  /** Hear of every item that is stored, refused, or sent by another tab. */
  onSettled(listener: (item: Item, outcome: Settled) => void): () => void {
    this.settlers.add(listener)
    return () => void this.settlers.delete(listener)
  }

  /** What an earlier visit left was tried, or nobody waits for it any longer. */
  async ready(patience = STORE_MS): Promise<void> {
    const timeout = new Promise((resolve) => setTimeout(resolve, patience))
    await Promise.race([this.load().then(() => this.flush()), timeout])
  }

  /** Take over what earlier visits left, or what other tabs changed. */
  async load(): Promise<void> {
    try {
      const stored = (await inTime(this.options.store.all(this.options.person))).filter(({ key }) => !this.erased.has(key))
      const known = new Set(stored.map(({ key }) => key))
      // On its way into the store, or thrown out of it by a browser short of room.
      const others = this.state.items.filter(({ key }) => !known.has(key) && !this.erased.has(key))
      this.set({ items: [...stored, ...others].sort((a, b) => a.order - b.order) })
      others.filter(({ key }) => !this.writing.has(key)).forEach((item) => this.write(item))
    } catch {
      this.set({ isKept: false })
    }
  }

  /** Hand in: at once in the list, then in the store, then on its way. */
  add(added: NewItem, now = Date.now()): void {
    const order = 1 + Math.max(0, ...this.state.items.map((item) => item.order))
    const item = { ...added, person: this.options.person, at: now, order, refusal: null }
    this.set({ items: [...this.state.items, item] })
    this.write(item)
    void this.flush()
  }

  find(key: string): Item | undefined {
    return this.state.items.find((item) => item.key === key)
  }

  /** Send everything that waits, now. */
  flush(): Promise<void> {
    this.isAskedAgain = true
    this.run ??= this.rounds().finally(() => (this.run = null))
    return this.run
  }

  /** What becomes of one now: "waiting" when it is neither stored nor refused before the sending stops. */
  outcomeOf(key: string): Promise<Settled | { kind: 'waiting' }> {
    return new Promise((resolve) => {
      const stop = this.onSettled((item, outcome) => item.key === key && resolve(outcome))
      void this.flush().then(() => {
        stop()
        resolve({ kind: 'waiting' })
      })
    })
  }

  /** Take one back that the server does not have. False: it has it, or may have it. */
  async withdraw(key: string): Promise<boolean> {
    while (this.state.sending === key) await this.change()
    if (!this.find(key)) return false
    const isTaken = await unlessElsewhere(lockOf(key), async () => {
      await this.writing.get(key)
      if (!(await this.isStillHere(key))) return false
      const item = this.find(key)
      this.leave(key)
      await this.erase(key)
      this.tell({ item: item!, isStored: false })
      return item !== undefined
    })
    return isTaken ?? false
  }

  /** Its owner wants to see one again that was refused: the screen that it belongs to shows it. */
  ask(key: string): void {
    this.asked = key
    this.set({})
  }

  /** What its owner wants to see, once, for the screen at ``path``. */
  askedAt(path: string): string | null {
    const item = this.asked === null ? undefined : this.find(this.asked)
    if (item?.path !== path) return null
    this.asked = null
    return item.key
  }

  /** Send one again that was refused. */
  retry(key: string): Promise<void> {
    this.replace(key, { refusal: null })
    return this.flush()
  }

  /** Another tab says that something happened. */
  async hear({ gone }: Told): Promise<void> {
    if (gone) {
      this.erased.add(gone.item.key)
      this.leave(gone.item.key)
    }
    await this.load()
    if (gone?.isStored) this.settle(gone.item, { kind: 'elsewhere' })
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
  }

  private async rounds(): Promise<void> {
    while (this.isAskedAgain && !this.isClosed) {
      this.isAskedAgain = false
      await this.round()
    }
  }

  private async round(): Promise<void> {
    clearTimeout(this.timer)
    const tried = new Set<string>()
    const blocked = new Set<string>()
    for (;;) {
      const item = this.state.items.find(({ key, target, refusal }) => !refusal && !tried.has(key) && !blocked.has(target))
      if (!item || this.isClosed) break
      tried.add(item.key)
      const outcome = await this.attempt(item)
      // One that the server chokes on holds up only what is about the same; nobody there holds up all.
      if (outcome === null || outcome.kind === 'busy') blocked.add(item.target)
      if (outcome?.kind === 'unreachable' || outcome?.kind === 'signedOut') break
    }
    this.planAgain()
  }

  /** Send one; null where another tab is sending it. */
  private async attempt(item: Item): Promise<Answer | null> {
    // Before the lock is asked for: who wants it back from now on waits for the answer.
    this.set({ sending: item.key })
    const answer = await unlessElsewhere(lockOf(item.key), () => this.sendKept(item))
    if (this.isClosed) return answer
    this.set({ sending: null, ...(answer && { isUnreachable: answer.kind === 'unreachable' }) })
    if (answer?.kind === 'refused') this.replace(item.key, { refusal: answer.refusal })
    if (answer?.kind !== 'stored' && answer?.kind !== 'refused') return answer
    this.failures = 0
    this.settle(this.find(item.key) ?? item, answer)
    this.tell(answer.kind === 'stored' ? { item, isStored: true } : null)
    return answer
  }

  private async sendKept(item: Item): Promise<Answer | null> {
    await this.writing.get(item.key)
    // Gone by now: another tab sent it.
    if (!this.find(item.key)) return null
    const answer = await this.options.send(item).catch(() => ({ kind: 'unreachable' }) as const)
    if (answer.kind === 'stored' && !this.isClosed) await this.erase(item.key)
    return answer
  }

  /** One about this was handed in and is not settled. */
  isUnsettled(target: string): boolean {
    return this.state.items.some((item) => item.target === target && item.refusal === null)
  }

  private settle(item: Item, outcome: Settled): void {
    if (outcome.kind !== 'refused') this.leave(item.key)
    this.settlers.forEach((listener) => listener(item, outcome))
  }

  private leave(key: string): void {
    this.set({ items: this.state.items.filter((item) => item.key !== key) })
  }

  /** Another tab may have sent it since we looked. */
  private async isStillHere(key: string): Promise<boolean> {
    if (this.unkept.has(key)) return true
    return inTime(this.options.store.has(key)).catch(() => true)
  }

  private write(item: Item): void {
    const written = inTime(this.options.store.put(item)).then(
      () => {
        this.unkept.delete(item.key)
        this.set({ isKept: true })
        this.tell(null)
      },
      () => {
        this.unkept.add(item.key)
        this.set({ isKept: false })
      },
    )
    this.writing.set(item.key, written)
    void written.then(() => this.writing.get(item.key) === written && this.writing.delete(item.key))
  }

  private async erase(key: string): Promise<void> {
    this.erased.add(key)
    await this.writing.get(key)
    this.unkept.delete(key)
    // One that cannot be erased is sent again, and the server knows its key.
    await inTime(this.options.store.remove(key)).catch(() => undefined)
  }

  private replace(key: string, change: Partial<Item>): void {
    const items = this.state.items.map((item) => (item.key === key ? { ...item, ...change } : item))
    this.set({ items })
    const changed = this.find(key)
    if (changed) this.write(changed)
  }

  /** The wait grows, and is never the same for two: a server that comes back is not run over. */
  private planAgain(): void {
    if (this.isClosed || !this.state.items.some(({ refusal }) => !refusal)) return
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures)
    this.failures += 1
    this.timer = setTimeout(() => void this.flush(), wait * (0.5 + Math.random() / 2))
  }

  /** The network is back: no more waiting. */
  readonly hurry = (): void => {
    this.failures = 0
    if (this.state.items.length > 0) void this.flush()
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      const leave = this.subscribe(() => {
        leave()
        resolve()
      })
    })
  }

  private tell(gone: Told['gone']): void {
    this.options.tell?.({ person: this.options.person, gone })
  }

  private set(change: Partial<OutboxState>): void {
    this.state = { ...this.state, ...change }
    this.listeners.forEach((listener) => listener())
  }
}

function lockOf(key: string): string {
  return `rankwright.send.${key}`
}

/** A store that never answers (it happens) is one that refuses. */
function inTime<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('too late')), STORE_MS)
    asked.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
