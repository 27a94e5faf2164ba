import { type Ballot, left, type Move } from './ballot'
import type { Tiers } from './tiers'

/** Finding one's place by comparing: between which tiers it can still be. */
export type Search = { readonly id: number; readonly low: number; readonly high: number }

export type Verdict = 'better' | 'worse' | 'equal'

/** What comes of an answer: the search goes on, or these moves give it its place. */
export type Outcome = { search: Search } | { moves: Move[] }

/** Begin with the first one left; null where there is nothing to compare it with. */
export function searchIn(ballot: Ballot, candidates: readonly number[]): Search | null {
  const tiers = comparedIn(ballot, candidates)
  const id = left(ballot, candidates).find((one) => !tiers.flat().includes(one))
  return id === undefined || tiers.length === 0 ? null : { id, low: 0, high: tiers.length }
}

/** Whom to compare it with: one of the tier in the middle of what is possible. */
export function comparedWith(search: Search, ballot: Ballot, candidates: readonly number[]): number {
  return comparedIn(ballot, candidates)[middleOf(search)]![0]!
}

export function answer(search: Search, verdict: Verdict, ballot: Ballot, candidates: readonly number[]): Outcome {
  const tiers = comparedIn(ballot, candidates)
  const middle = middleOf(search)
  const other = tiers[middle]![0]!
  // The very first one that others are compared with has its place now too.
  const moves: Move[] = ballot.tiers.length === 0 ? [{ type: 'insert', id: other, before: null }] : []
  if (verdict === 'equal') return { moves: [...moves, { type: 'join', id: search.id, other }] }
  const next = verdict === 'better' ? { ...search, high: middle } : { ...search, low: middle + 1 }
  if (next.low < next.high) return { search: next }
  return { moves: [...moves, { type: 'insert', id: search.id, before: tiers[next.low]?.[0] ?? null }] }
}

/** While nothing is ranked, the first one shown stands there alone. */
function comparedIn(ballot: Ballot, candidates: readonly number[]): Tiers {
  if (ballot.tiers.length > 0) return ballot.tiers
  return left(ballot, candidates).slice(0, 1).map((id) => [id])
}

function middleOf({ low, high }: Search): number {
  return Math.floor((low + high) / 2)
}
