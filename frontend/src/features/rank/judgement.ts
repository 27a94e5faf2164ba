import type { Asks, RankingBody } from '@/api'

import { type Ballot, EMPTY, left, readBallot } from './ballot'
import { type Extras, readExtras } from './extras'

/** All that a labeler says of one assignment, as the server takes it. */
export type Judgement = Omit<RankingBody, 'idempotency_key' | 'holding' | 'unacceptable'> & { unacceptable: number[] }

export const ASKS_NOTHING: Asks = { strength: false, rating_axes: [], flags: false, spans: false, rationale: 'not_asked', edit: false }

/** What still keeps a judgement from being handed in. */
export type Missing =
  | { what: 'place' | 'rating'; ids: number[] }
  | { what: 'strength' | 'rationale' | 'edit' }

/** Whether the campaign asks by how much the better one of two is better. */
export function isOnScale(asks: Asks, candidates: readonly number[]): boolean {
  return asks.strength && candidates.length === 2
}

/** The first thing that is missing, in the order in which the screen asks for it; null when all is said. */
export function missingFrom(ballot: Ballot, extras: Extras, candidates: readonly number[], asks: Asks): Missing | null {
  const unplaced = left(ballot, candidates)
  if (unplaced.length > 0) return { what: 'place', ids: unplaced }
  const isOrdered = ballot.tiers.length + Math.min(1, ballot.unacceptable.length) > 1
  if (isOnScale(asks, candidates) && isOrdered && !ballot.strength) return { what: 'strength' }
  const unrated = candidates.filter((id) => asks.rating_axes.some((axis) => !extras.ratings[id]?.[axis]))
  if (unrated.length > 0) return { what: 'rating', ids: unrated }
  if (asks.rationale === 'required' && extras.rationale.trim() === '') return { what: 'rationale' }
  const edited = handedIn(ballot, extras.edited)
  return edited && edited.text.trim() === '' ? { what: 'edit' } : null
}

/** Those that may be improved: the best ones, or any where none is good enough. */
export function improvable(ballot: Ballot): readonly number[] {
  return ballot.tiers[0] ?? ballot.unacceptable
}

/** The judgement to hand in. What nothing was said of is left out. */
export function judgementOf(ballot: Ballot, extras: Extras, seconds: number): Judgement {
  const edited = handedIn(ballot, extras.edited)
  const rationale = extras.rationale.trim()
  return {
    tiers: ballot.tiers.map((tier) => [...tier]),
    unacceptable: [...ballot.unacceptable],
    cannot_judge: '',
    seconds_spent: seconds,
    ...(ballot.strength && { strength: ballot.strength }),
    ...filled('ratings', extras.ratings, (given) => Object.keys(given).length > 0),
    ...filled('flags', extras.flags, (given) => given.length > 0),
    ...filled('spans', extras.spans, (given) => given.length > 0),
    ...(rationale && { rationale }),
    ...(edited && { edited }),
  } as Judgement
}

/** Nothing can be ordered, and why; then nothing else is said. */
export function cannotJudge(reason: string, seconds: number): Judgement {
  return { tiers: [], unacceptable: [], cannot_judge: reason, seconds_spent: seconds }
}

/** What to begin with: what was kept on the device, else what was handed in before, else nothing. */
export function openingOf(kept: { readonly [name: string]: unknown } | null, initial: unknown, candidates: readonly number[]) {
  const ballot = readBallot(kept?.ballot, candidates)
  const before = typeof initial === 'object' && initial !== null ? (initial as { [name: string]: unknown }) : {}
  return {
    ballot: ballot ?? readBallot(before, candidates) ?? EMPTY,
    extras: readExtras(kept ? kept.extras : before, candidates),
    seconds: Number(kept?.seconds ?? before.seconds_spent) || 0,
  }
}

/** An edit of one that is no longer the best waits until it is again. */
function handedIn(ballot: Ballot, edited: Extras['edited']): Extras['edited'] {
  return edited && improvable(ballot).includes(edited.id) ? edited : null
}

function filled<T>(name: string, given: { readonly [id: number]: T }, isSaid: (one: T) => boolean) {
  const said = Object.entries(given).filter(([, one]) => isSaid(one))
  return said.length > 0 ? { [name]: Object.fromEntries(said) } : {}
}
