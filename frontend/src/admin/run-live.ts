/** What the admin's template tells the page: words by status, and what each metric is. */
export type RunPage = { url: string; status: string; labels: Record<string, string>; notes: Record<string, string> }

export type Metrics = { step?: number; steps?: number; at?: number } & Record<string, unknown>

export type Live = {
  status: string
  attempt?: number
  step?: number | null
  steps?: number | null
  metrics: Metrics[]
  next: number
  failure?: string | null
  finished_at?: string | null
}

const VISIBLE_MS = 2000
const HIDDEN_MS = 15_000
const MOST_MS = 60_000
const NOT_METRICS = new Set(['step', 'steps', 'at', 'attempt'])

/** Milliseconds until the next look: seldom while nobody looks, more seldom while nobody answers. */
export function pauseBefore(isHidden: boolean, failures: number): number {
  return Math.min(MOST_MS, (isHidden ? HIDDEN_MS : VISIBLE_MS) * 2 ** Math.min(failures, 5))
}

/** Every metric by step. A step told again (a resumed run repeats some) replaces what it said before. */
export class Series {
  private attempt: number | undefined
  private readonly byStep = new Map<number, Metrics>()

  /** Take in new lines; whether there were any. A new attempt starts over. */
  add(lines: readonly Metrics[], attempt?: number): boolean {
    if (attempt !== this.attempt) this.byStep.clear()
    this.attempt = attempt
    for (const line of lines) {
      if (typeof line.step === 'number') this.byStep.set(line.step, { ...this.byStep.get(line.step), ...line })
    }
    return lines.length > 0
  }

  names(): string[] {
    const names = new Set<string>()
    for (const line of this.byStep.values()) {
      for (const [name, value] of Object.entries(line)) {
        if (typeof value === 'number' && !NOT_METRICS.has(name)) names.add(name)
      }
    }
    return [...names].sort()
  }

  /** Steps in order, and the values of one metric at them. */
  points(name: string): [number[], number[]] {
    const lines = [...this.byStep.entries()]
      .filter(([, line]) => typeof line[name] === 'number' && Number.isFinite(line[name]))
      .sort(([a], [b]) => a - b)
    return [lines.map(([step]) => step), lines.map(([, line]) => line[name] as number)]
  }
}
