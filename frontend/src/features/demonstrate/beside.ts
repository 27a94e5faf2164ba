import { putAside, type Removed } from './arranging'
import { readTurns } from './turns'

/** What is kept on this device beside the turns of a draft: what was taken out of it, and what was ticked. */
export type Beside = { removed: readonly Removed[]; ticks: readonly string[] }

/** As it was kept; what cannot be read is left out. */
export function readBeside(kept: unknown): Beside {
  const { removed, ticks } = (typeof kept === 'object' && kept !== null ? kept : {}) as { removed?: unknown; ticks?: unknown }
  return {
    // With keys of their own again: those of the turns were given anew.
    removed: putAside({ turns: [], removed: Array.isArray(removed) ? removed.filter(isRemoved) : [] }),
    ticks: Array.isArray(ticks) ? ticks.filter((tick) => typeof tick === 'string') : [],
  }
}

/** What of the checklist is not ticked. Sentences, not places: a checklist may change while somebody writes. */
export function missing(checklist: readonly string[], ticks: readonly string[]): string[] {
  return checklist.filter((sentence) => !ticks.includes(sentence))
}

export function toggle(ticks: readonly string[], sentence: string): string[] {
  return ticks.includes(sentence) ? ticks.filter((tick) => tick !== sentence) : [...ticks, sentence]
}

function isRemoved(value: unknown): value is Removed {
  if (typeof value !== 'object' || value === null) return false
  const { draft, at } = value as Partial<Removed>
  return readTurns([draft]) !== null && Number.isInteger(at) && at! >= 0
}
