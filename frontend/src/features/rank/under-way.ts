import type { Ballot } from './ballot'
import { type Extras, say, type Saying } from './extras'
import { begin, type History, type Step, step } from './history'

export type Said = { readonly history: History; readonly extras: Extras }

type Opening = { ballot: Ballot; extras: Extras }

/** One ranking while it is made. Each change is kept at once; its methods stay the same, so that cards need not change. */
export class RankingUnderWay {
  private said: Said
  private readonly listeners = new Set<() => void>()
  private readonly candidates: readonly number[]
  private readonly keep: (said: Said) => void

  constructor(candidates: readonly number[], { ballot, extras }: Opening, keep: (said: Said) => void) {
    this.candidates = candidates
    this.said = { history: begin(ballot), extras }
    this.keep = keep
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly snapshot = (): Said => this.said

  /** The ballot after a step; null where it changes nothing. */
  readonly take = (taken: Step): Ballot | null => {
    const history = step(this.said.history, taken, this.candidates)
    if (history === this.said.history) return null
    this.change({ history })
    return history.present
  }

  readonly say = (saying: Saying): void => this.change({ extras: say(this.said.extras, saying) })

  private change(change: Partial<Said>): void {
    this.said = { ...this.said, ...change }
    this.keep(this.said)
    this.listeners.forEach((listener) => listener())
  }
}
