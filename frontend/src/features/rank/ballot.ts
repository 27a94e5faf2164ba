import {
  areSame,
  insertBefore,
  joinTier,
  moveDown,
  moveUp,
  rankOf,
  tieWithAbove,
  type Tiers,
  toggleTie,
  without,
  withoutEmpty,
} from './tiers'

/** What a labeler has said so far about the candidates of one assignment. */
export type Ballot = {
  readonly tiers: Tiers
  readonly unacceptable: readonly number[]
  /** The last one left, which took the last place by itself; it can be moved like any other. */
  readonly filled: number | null
  /** Of two: how much better the first is, from 1 (slightly) to 3 (much), where that was said. */
  readonly strength?: number
}

export type Move =
  | { type: 'place' | 'tie' | 'reject' | 'takeBack' | 'moveUp' | 'moveDown' | 'tieWithAbove' | 'toggleTie'; id: number }
  /** Anywhere: a place of its own before another one (null: after all), or the place of another one. */
  | { type: 'insert'; id: number; before: number | null }
  | { type: 'join'; id: number; other: number }
  /** Of two: the better one, and by how much; or that they are equally good. */
  | { type: 'prefer'; id: number; strength?: number }
  | { type: 'equal' }
  | { type: 'clear' }

export const EMPTY: Ballot = { tiers: [], unacceptable: [], filled: null }

/** The ballot after a move, for these candidates; the same object when the move changes nothing. */
export function apply(ballot: Ballot, move: Move, candidates: readonly number[]): Ballot {
  if (move.type === 'clear') return isUntouched(ballot) ? ballot : EMPTY
  if (move.type === 'equal') return changed(ballot, { tiers: [inOrder(candidates)], unacceptable: [], filled: null })
  if (!candidates.includes(move.id)) return ballot
  switch (move.type) {
    case 'place':
      return place(ballot, move.id, candidates)
    case 'tie':
      return tie(ballot, move.id)
    case 'reject':
      return reject(ballot, move.id)
    case 'takeBack':
      return takeBack(ballot, move.id)
    case 'moveUp':
      return retier(ballot, moveUp(ballot.tiers, move.id))
    case 'moveDown':
      return retier(ballot, moveDown(ballot.tiers, move.id))
    case 'tieWithAbove':
      return retier(ballot, tieWithAbove(ballot.tiers, move.id))
    case 'toggleTie':
      return retier(ballot, toggleTie(ballot.tiers, move.id))
    case 'insert':
      return bring(ballot, move.id, insertBefore(ballot.tiers, move.id, move.before))
    case 'join':
      return bring(ballot, move.id, joinTier(ballot.tiers, move.id, move.other))
    case 'prefer':
      return prefer(ballot, move, candidates)
  }
}

/** Every candidate is either ranked or unacceptable. */
export function isComplete(ballot: Ballot, candidates: readonly number[]): boolean {
  return left(ballot, candidates).length === 0
}

export function isUntouched(ballot: Ballot): boolean {
  return ballot.tiers.length === 0 && ballot.unacceptable.length === 0
}

/** Candidates that are neither ranked nor unacceptable, in the order given. */
export function left(ballot: Ballot, candidates: readonly number[]): number[] {
  return candidates.filter((id) => rankOf(ballot.tiers, id) === null && !ballot.unacceptable.includes(id))
}

/** A ballot as it was kept on the device, or null if it is not one about these candidates. */
export function readBallot(kept: unknown, candidates: readonly number[]): Ballot | null {
  if (typeof kept !== 'object' || kept === null) return null
  const { tiers, unacceptable, filled, strength } = kept as Partial<Ballot>
  if (!Array.isArray(tiers) || !tiers.every(Array.isArray) || !Array.isArray(unacceptable)) return null
  const named = [...tiers.flat(), ...unacceptable]
  const isSound = named.every((id) => candidates.includes(id)) && new Set(named).size === named.length
  if (!isSound) return null
  return {
    tiers: withoutEmpty(tiers),
    unacceptable,
    filled: tiers.flat().find((id) => id === filled) ?? null,
    ...([1, 2, 3].includes(strength!) && { strength: strength! }),
  }
}

function place(ballot: Ballot, id: number, candidates: readonly number[]): Ballot {
  if (rankOf(ballot.tiers, id) !== null) return ballot.filled === id ? { ...ballot, filled: null } : ballot
  const placed: Ballot = {
    tiers: [...ballot.tiers, [id]],
    unacceptable: ballot.unacceptable.filter((other) => other !== id),
    filled: null,
  }
  // Who chose all the others has chosen the last place too.
  const [last, ...others] = left(placed, candidates)
  if (last === undefined || others.length > 0) return placed
  return { ...placed, tiers: [...placed.tiers, [last]], filled: last }
}

/** Join the tier placed last, or, when it is placed already, the tier above. */
function tie(ballot: Ballot, id: number): Ballot {
  if (rankOf(ballot.tiers, id) !== null) return retier(ballot, tieWithAbove(ballot.tiers, id))
  const lastTier = ballot.tiers.at(-1) ?? []
  return {
    tiers: [...ballot.tiers.slice(0, -1), [...lastTier, id]],
    unacceptable: ballot.unacceptable.filter((other) => other !== id),
    filled: null,
  }
}

function reject(ballot: Ballot, id: number): Ballot {
  if (ballot.unacceptable.includes(id)) return takeBack(ballot, id)
  return {
    tiers: without(ballot.tiers, id),
    unacceptable: [...ballot.unacceptable, id],
    filled: ballot.filled === id ? null : ballot.filled,
  }
}

function takeBack(ballot: Ballot, id: number): Ballot {
  if (rankOf(ballot.tiers, id) === null && !ballot.unacceptable.includes(id)) return ballot
  // What filled itself did so because nothing else was left; now something is.
  const tiers = ballot.filled === null ? ballot.tiers : without(ballot.tiers, ballot.filled)
  return {
    tiers: without(tiers, id),
    unacceptable: ballot.unacceptable.filter((other) => other !== id),
    filled: null,
  }
}

/** Into the ranking, from wherever it was. */
function bring(ballot: Ballot, id: number, tiers: Tiers): Ballot {
  if (areSame(tiers, ballot.tiers)) return ballot
  return { tiers, unacceptable: ballot.unacceptable.filter((other) => other !== id), filled: null }
}

/** What is unacceptable stays so, unless it is the better one. */
function prefer(ballot: Ballot, { id, strength }: { id: number; strength?: number }, candidates: readonly number[]): Ballot {
  const unacceptable = ballot.unacceptable.filter((other) => other !== id)
  const worse = inOrder(candidates).filter((other) => other !== id && !unacceptable.includes(other))
  const tiers = withoutEmpty([[id], worse])
  return changed(ballot, { tiers, unacceptable, filled: null, ...(strength && { strength }) })
}

/** Of their own, not of the screen. */
function inOrder(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b)
}

function changed(ballot: Ballot, next: Ballot): Ballot {
  const isSame =
    areSame(next.tiers, ballot.tiers) &&
    areSame([next.unacceptable], [ballot.unacceptable]) &&
    next.strength === ballot.strength
  return isSame ? ballot : next
}

/** A strength was about the order as it stood. */
function retier(ballot: Ballot, tiers: Tiers): Ballot {
  return tiers === ballot.tiers ? ballot : { tiers, unacceptable: ballot.unacceptable, filled: null }
}
