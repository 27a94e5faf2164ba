/** Best tier first; completions that share a tier are tied. Ids, never positions. */
export type Tiers = readonly (readonly number[])[]

/** What a labeler has said so far about the candidates of one assignment. */
export type Ballot = {
  readonly tiers: Tiers
  readonly unacceptable: readonly number[]
  /** The last one left, which took the last place by itself; it can be moved like any other. */
  readonly filled: number | null
}

export type Move =
  | { type: 'place' | 'tie' | 'reject' | 'takeBack' | 'moveUp' | 'moveDown' | 'tieWithAbove' | 'toggleTie'; id: number }
  | { type: 'clear' }

export const EMPTY: Ballot = { tiers: [], unacceptable: [], filled: null }

/** The ballot after a move, for these candidates; the same object when the move changes nothing. */
export function apply(ballot: Ballot, move: Move, candidates: readonly number[]): Ballot {
  if (move.type === 'clear') return isUntouched(ballot) ? ballot : EMPTY
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

/** 1 for the best tier; null where it is in none. */
export function rankOf(tiers: Tiers, id: number): number | null {
  const index = tierOf(tiers, id)
  return index === -1 ? null : index + 1
}

/** A ballot as it was kept on the device, or null if it is not one about these candidates. */
export function readBallot(kept: unknown, candidates: readonly number[]): Ballot | null {
  if (typeof kept !== 'object' || kept === null) return null
  const { tiers, unacceptable, filled } = kept as Partial<Ballot>
  if (!Array.isArray(tiers) || !tiers.every(Array.isArray) || !Array.isArray(unacceptable)) return null
  const named = [...tiers.flat(), ...unacceptable]
  const isSound = named.every((id) => candidates.includes(id)) && new Set(named).size === named.length
  if (!isSound) return null
  return { tiers: withoutEmpty(tiers), unacceptable, filled: tiers.flat().find((id) => id === filled) ?? null }
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

/** Join the tier above: "these two are equally good". */
export function tieWithAbove(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from <= 0) return tiers
  return withoutEmpty(
    tiers.map((tier, i) => (i === from - 1 ? [...tier, id] : tier.filter((other) => other !== id))),
  )
}

/** One place better: out of a tie, or past the whole tier above. */
export function moveUp(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from === -1) return tiers
  const isTied = tiers[from]!.length > 1
  if (!isTied && from === 0) return tiers
  return insert(without(tiers, id), isTied ? from : from - 1, id)
}

/** One place worse: out of a tie, or past the whole tier below. */
export function moveDown(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from === -1) return tiers
  const isTied = tiers[from]!.length > 1
  if (!isTied && from === tiers.length - 1) return tiers
  return insert(without(tiers, id), from + 1, id)
}

/** Turn the sign before ``id`` around: ">" becomes "=", "=" becomes ">". Nothing else changes. */
export function toggleTie(tiers: Tiers, id: number): Tiers {
  const from = tierOf(tiers, id)
  if (from === -1) return tiers
  const tier = tiers[from]!
  const within = tier.indexOf(id)
  if (within > 0) {
    return [...tiers.slice(0, from), tier.slice(0, within), tier.slice(within), ...tiers.slice(from + 1)]
  }
  if (from === 0) return tiers
  return [...tiers.slice(0, from - 1), [...tiers[from - 1]!, ...tier], ...tiers.slice(from + 1)]
}

function retier(ballot: Ballot, tiers: Tiers): Ballot {
  return tiers === ballot.tiers ? ballot : { ...ballot, tiers, filled: null }
}

function tierOf(tiers: Tiers, id: number): number {
  return tiers.findIndex((tier) => tier.includes(id))
}

function insert(tiers: Tiers, at: number, id: number): Tiers {
  return [...tiers.slice(0, at), [id], ...tiers.slice(at)]
}

function without(tiers: Tiers, id: number): Tiers {
  return withoutEmpty(tiers.map((tier) => tier.filter((other) => other !== id)))
}

function withoutEmpty(tiers: Tiers): Tiers {
  return tiers.filter((tier) => tier.length > 0)
}
