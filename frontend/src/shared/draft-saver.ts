const IDLE_MS = 800
const LONGEST_MS = 3000
const AGAIN_MS = 15_000

/** What the server says to a draft: "parted" where it was changed elsewhere, "over" where it takes none any more. */
export type Saving<Theirs> =
  | { kind: 'saved'; revision: number }
  | { kind: 'parted'; theirs: Theirs }
  | { kind: 'failed' | 'over' }

type Options<Content, Theirs> = {
  revision: number
  save: (content: Content, revision: number, isLeaving: boolean) => Promise<Saving<Theirs>>
  onSaved?: (revision: number) => void
  onParted?: (theirs: Theirs) => void
  onState?: (state: SaverState) => void
}

export type SaverState = 'waiting' | 'saving' | 'saved' | 'failed'

/** Saves a draft within a second of its last change, and every few seconds of steady change; one at a time. */
export class DraftSaver<Content, Theirs> {
  private readonly options: Options<Content, Theirs>
  revision: number
  private unsaved: { content: Content; since: number } | null = null
  private isSaving = false
  private isOver = false
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: Options<Content, Theirs>) {
    this.options = options
    this.revision = options.revision
  }

  change(content: Content): void {
    if (this.isOver) return
    const now = performance.now()
    this.unsaved = { content, since: this.unsaved?.since ?? now }
    this.options.onState?.('waiting')
    this.plan(Math.max(0, Math.min(IDLE_MS, this.unsaved.since + LONGEST_MS - now)))
  }

  /** The page is going away, or the network is back: now. */
  readonly flush = (isLeaving = false): void => {
    if (this.unsaved && !this.isOver) void this.save(isLeaving)
  }

  /** The two versions were settled: go on from the server's. */
  goOn(revision: number, content: Content | null): void {
    this.revision = revision
    this.isOver = false
    if (content === null) this.unsaved = null
    else this.change(content)
  }

  /** It was handed in or given up: nothing is saved any more. */
  close(): void {
    this.isOver = true
    this.unsaved = null
    clearTimeout(this.timer)
  }

  private plan(wait: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.save(false), wait)
  }

  private async save(isLeaving: boolean): Promise<void> {
    clearTimeout(this.timer)
    // Its answer brings the revision that the next one goes on from.
    if (this.isSaving || !this.unsaved) return
    const { content } = this.unsaved
    this.unsaved = null
    this.isSaving = true
    this.options.onState?.('saving')
    const saving = await this.options.save(content, this.revision, isLeaving).catch(() => ({ kind: 'failed' }) as const)
    this.isSaving = false
    if (!this.isOver) this.follow(content, saving)
  }

  private follow(content: Content, saving: Saving<Theirs>): void {
    if (saving.kind === 'saved') {
      this.revision = saving.revision
      this.options.onSaved?.(saving.revision)
      if (this.unsaved) this.change(this.unsaved.content)
      else this.options.onState?.('saved')
      return
    }
    this.unsaved = { content: this.unsaved ? this.unsaved.content : content, since: performance.now() }
    if (saving.kind === 'failed') {
      this.options.onState?.('failed')
      return this.plan(AGAIN_MS)
    }
    clearTimeout(this.timer)
    this.isOver = true
    if (saving.kind === 'parted') this.options.onParted?.(saving.theirs)
  }
}
