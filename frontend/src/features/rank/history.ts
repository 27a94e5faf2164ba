import { apply, type Ballot, type Move } from './ballot'

/** A ballot with the steps that led to it, and those taken back. */
export type History = { past: readonly Ballot[]; present: Ballot; future: readonly Ballot[] }

export type Step = Move | { type: 'undo' } | { type: 'redo' }

export function begin(ballot: Ballot): History {
  return { past: [], present: ballot, future: [] }
}

/** One step on; the same object when the step changes nothing. */
export function step(history: History, taken: Step, candidates: readonly number[]): History {
  const { past, present, future } = history
  if (taken.type === 'undo') {
    const before = past.at(-1)
    return before ? { past: past.slice(0, -1), present: before, future: [present, ...future] } : history
  }
  if (taken.type === 'redo') {
    const [after, ...rest] = future
    return after ? { past: [...past, present], present: after, future: rest } : history
  }
  const next = apply(present, taken, candidates)
  return next === present ? history : { past: [...past, present], present: next, future: [] }
}
