import type { RankingDraft } from '@/api'
import { DraftSaver, type Saving } from '@/shared/draft-saver'
import { keepDraft, readDated, readDraft } from '@/shared/drafts'

import { type KeptRanking, type KeptThere, openKept, type Opening, partedFrom, readThere } from './kept-ranking'

export type KeeperState = {
  /** What to show; not what has been typed since. */
  kept: KeptRanking | null
  /** Grows whenever something else than what was typed here is to be shown. */
  version: number
  /** Another device went another way: what is shown, and the other one. */
  parted: Opening['parted']
}

type Options = {
  id: string
  person: number
  /** What came with the assignment. */
  draft: RankingDraft | null
  device: string
  /** Is it still to be handed in? */
  isUnderWay: () => boolean
  save: (content: KeptThere, revision: number, isLeaving: boolean) => Promise<Saving<RankingDraft>>
}

/** Keeps a ranking on this device at once and at the server within a second; says when another device went another way. */
export class RankingKeeper {
  private state: KeeperState
  private readonly listeners = new Set<() => void>()
  private readonly options: Options
  private readonly key: { kind: 'ranking'; person: number; id: string }
  private readonly saver: DraftSaver<KeptRanking, RankingDraft>
  private current: KeptRanking | null
  private isAhead: boolean

  constructor(options: Options) {
    const { id, person, draft, device } = options
    this.options = options
    this.key = { kind: 'ranking', person, id }
    const { content, revision, isAhead, parted } = openKept(readDated(this.key), draft, device)
    this.state = { kept: content, version: 0, parted }
    this.current = content
    this.isAhead = isAhead && parted === null
    this.saver = new DraftSaver({
      revision,
      save: (kept, goesOnFrom, isLeaving) => this.save(kept, goesOnFrom, isLeaving),
      onSaved: () => this.isStillHere() && this.keepHere(),
      onParted: (theirs) => this.meet(theirs),
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  readonly snapshot = (): KeeperState => this.state

  /** It came on screen. */
  open(): void {
    if (this.state.parted) return
    this.saver.goOn(this.saver.revision, this.isAhead ? this.current : null)
    this.isAhead = false
  }

  /** It left the screen. */
  close(): void {
    this.saver.flush()
    this.saver.close()
  }

  /** Another tab took it over: it keeps what is here, and more. */
  giveUp(): void {
    this.saver.close()
  }

  readonly flush = (isLeaving = false): void => this.saver.flush(isLeaving)

  readonly keep = (kept: KeptRanking): void => {
    this.current = kept
    this.keepHere()
    this.saver.change(kept)
  }

  /** Look at the other version; the first one stays at hand. */
  readonly swap = (): void => {
    const { parted } = this.state
    if (!parted) return
    const mine = { content: this.current ?? {}, at: parted.mine.at }
    this.set({ parted: { mine: parted.theirs, theirs: mine } })
    this.show(parted.theirs.content)
    this.keepHere()
  }

  /** Go on with what is shown. */
  readonly settle = (): void => {
    this.set({ parted: null })
    this.saver.goOn(this.saver.revision, this.current)
  }

  private save(content: KeptRanking, revision: number, isLeaving: boolean): Promise<Saving<RankingDraft>> {
    if (!this.isStillHere()) return Promise.resolve({ kind: 'over' })
    return this.options.save({ content, device: this.options.device }, revision, isLeaving)
  }

  private meet(draft: RankingDraft): void {
    const mine = this.current ?? {}
    // Our own, whose answer got lost on the way.
    if (readThere(draft.content)?.device === this.options.device) return this.saver.goOn(draft.revision ?? 0, mine)
    this.saver.revision = draft.revision ?? 0
    this.set({ parted: partedFrom({ content: mine, at: readDated(this.key)?.at ?? Date.now() }, draft) })
  }

  /** Handed in, or skipped: nothing brings its draft back. */
  private isStillHere(): boolean {
    return this.options.isUnderWay() && readDraft(this.key) !== null
  }

  private keepHere(): void {
    keepDraft(this.key, { content: this.current ?? {}, revision: this.saver.revision })
  }

  private show(kept: KeptRanking | null): void {
    this.current = kept
    this.set({ kept, version: this.state.version + 1 })
  }

  private set(change: Partial<KeeperState>): void {
    this.state = { ...this.state, ...change }
    this.listeners.forEach((listener) => listener())
  }
}
