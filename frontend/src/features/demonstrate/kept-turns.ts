import { type Demonstration, type Turn } from '@/api'
import { DraftSaver, type SaverState, type Saving } from '@/shared/draft-saver'
import { dropDraft, keepDraft, readDated } from '@/shared/drafts'

import { begin, type Draft, isSame, readTurns, turnsOf } from './turns'

/** Where the text is safe: as it came, on this device, at the server; "failed" tries again, "conflict" asks. */
export type Saved = 'clean' | 'device' | 'saving' | 'server' | 'failed' | 'conflict'

export type KeptTurnsState = {
  drafts: Draft[]
  saved: Saved
  /** The other version, when they parted: what is shown was changed at ``mineAt``, theirs after ``since``. */
  parted: { theirs: Demonstration; mineAt: number; since: number } | null
}

/** On this device: the text, the revision that it goes on from, and what was sent and not answered yet. */
type Kept = { turns?: unknown; revision?: number; seconds?: number; sent?: unknown; savedAt?: number } | null

type Options = {
  demonstration: Demonstration
  person: number
  seconds: () => number
  save: (turns: Turn[], revision: number, isLeaving: boolean) => Promise<Saving<Demonstration>>
}

const STATES: Record<SaverState, Saved> = { waiting: 'device', saving: 'saving', saved: 'server', failed: 'failed' }

/** The turns of a demonstration, kept on this device with every key and at the server within a second. */
export class KeptTurns {
  private state: KeptTurnsState
  private readonly listeners = new Set<() => void>()
  private readonly options: Options
  private readonly key: { kind: 'demonstration'; person: number; id: number }
  private readonly saver: DraftSaver<Turn[], Demonstration>
  private sent: Turn[] | null
  private savedAt: number
  private isAhead: boolean
  private isClosed = false

  constructor(options: Options) {
    const { demonstration, person } = options
    this.options = options
    this.key = { kind: 'demonstration', person, id: demonstration.id }
    const stored = readDated(this.key)
    const kept = stored?.value as Kept
    this.sent = readTurns(kept?.sent)
    this.savedAt = kept?.savedAt ?? stored?.at ?? 0
    this.state = this.opened(kept, stored?.at ?? 0)
    this.isAhead = this.state.saved === 'device'
    this.saver = new DraftSaver({
      // What was claimed may be older than what was saved from here since.
      revision: Math.max(demonstration.revision ?? 0, kept?.revision ?? 0),
      save: (turns, revision, isLeaving) => this.save(turns, revision, isLeaving),
      onSaved: () => this.noteSaved(),
      onParted: (theirs) => this.meet(theirs),
      onState: (state) => this.set({ saved: STATES[state] }),
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  readonly snapshot = (): KeptTurnsState => this.state

  /** It came on screen. */
  open(): void {
    if (this.state.parted || this.isClosed) return
    this.saver.goOn(this.saver.revision, this.isAhead ? turnsOf(this.state.drafts) : null)
    this.isAhead = false
  }

  /** It left the screen. */
  leave(): void {
    if (!this.isClosed) this.saver.flush()
    this.saver.close()
  }

  /** Another tab took it over: it keeps what is here, and more. */
  giveUp(): void {
    this.saver.close()
  }

  readonly flush = (isLeaving = false): void => this.saver.flush(isLeaving)

  readonly change = (drafts: Draft[]): void => {
    this.set({ drafts, ...(!this.state.parted && { saved: 'device' }) })
    this.keep()
    if (!this.state.parted) this.saver.change(turnsOf(drafts))
  }

  /** End a conflict: one of the two versions is kept. */
  readonly settle = (choice: 'mine' | 'theirs'): void => {
    const { parted, drafts } = this.state
    if (!parted) return
    this.set({ parted: null })
    this.saver.goOn(parted.theirs.revision ?? 0, null)
    this.change(choice === 'mine' ? drafts : begin(parted.theirs.turns))
  }

  /** Nothing is saved any more: it was handed in. */
  readonly close = (): void => {
    this.isClosed = true
    this.saver.close()
    dropDraft(this.key)
  }

  /** What to show first: this device's text when it continues the server's, else the server's; both when they part. */
  private opened(kept: Kept, mineAt: number): KeptTurnsState {
    const { demonstration } = this.options
    const mine = readTurns(kept?.turns)
    if (!mine || isSame(mine, demonstration.turns)) return { drafts: begin(demonstration.turns), saved: 'clean', parted: null }
    const continues = (kept?.revision ?? 0) >= (demonstration.revision ?? 0) || this.isOurs(demonstration)
    const parted = continues ? null : { theirs: demonstration, mineAt, since: this.savedAt }
    return { drafts: begin(mine), saved: continues ? 'device' : 'conflict', parted }
  }

  private async save(turns: Turn[], revision: number, isLeaving: boolean): Promise<Saving<Demonstration>> {
    this.sent = turns
    this.keep()
    return this.options.save(turns, revision, isLeaving)
  }

  private noteSaved(): void {
    if (this.isClosed) return
    this.sent = null
    this.savedAt = Date.now()
    this.keep()
  }

  private meet(theirs: Demonstration): void {
    // Our own, whose answer got lost on the way.
    if (this.isOurs(theirs)) return this.saver.goOn(theirs.revision ?? 0, turnsOf(this.state.drafts))
    const mineAt = readDated(this.key)?.at ?? Date.now()
    this.set({ saved: 'conflict', parted: { theirs, mineAt, since: this.savedAt } })
  }

  private isOurs(stored: Demonstration): boolean {
    return this.sent !== null && isSame(this.sent, stored.turns)
  }

  private keep(): void {
    const { seconds } = this.options
    const kept: Kept = {
      turns: turnsOf(this.state.drafts),
      revision: this.saver.revision,
      seconds: seconds(),
      savedAt: this.savedAt,
      ...(this.sent && { sent: this.sent }),
    }
    keepDraft(this.key, kept)
  }

  private set(change: Partial<KeptTurnsState>): void {
    this.state = { ...this.state, ...change }
    this.listeners.forEach((listener) => listener())
  }
}
