import { type Flag, isFlag } from './flags'
import { type Passage, withoutPassage, withPassage } from './passages'

export type Ratings = { readonly [axis: string]: number }

/** What is said of the candidates beside their order, by their ids. */
export type Extras = {
  readonly ratings: { readonly [id: number]: Ratings }
  readonly flags: { readonly [id: number]: readonly Flag[] }
  readonly spans: { readonly [id: number]: readonly Passage[] }
  readonly rationale: string
  /** The response that is improved, as the labeler would have it. */
  readonly edited: { readonly id: number; readonly text: string } | null
}

export type Saying =
  | { type: 'rate'; id: number; axis: string; rating: number }
  | { type: 'flag'; id: number; flag: Flag }
  | { type: 'mark' | 'unmark'; id: number; passage: Passage }
  | { type: 'explain'; words: string }
  | { type: 'edit'; id: number; text: string }
  | { type: 'leaveUnedited' }

export const NO_EXTRAS: Extras = { ratings: {}, flags: {}, spans: {}, rationale: '', edited: null }

const RATINGS = [1, 2, 3, 4, 5, 6, 7]

/** What is said, with one thing more, or otherwise, or taken back. */
export function say(extras: Extras, saying: Saying): Extras {
  switch (saying.type) {
    case 'rate':
      return { ...extras, ratings: { ...extras.ratings, [saying.id]: rated(extras.ratings[saying.id] ?? {}, saying) } }
    case 'flag':
      return { ...extras, flags: { ...extras.flags, [saying.id]: toggled(extras.flags[saying.id] ?? [], saying.flag) } }
    case 'mark':
    case 'unmark': {
      const change = saying.type === 'mark' ? withPassage : withoutPassage
      return { ...extras, spans: { ...extras.spans, [saying.id]: change(extras.spans[saying.id] ?? [], saying.passage) } }
    }
    case 'explain':
      return { ...extras, rationale: saying.words }
    case 'edit':
      return { ...extras, edited: { id: saying.id, text: saying.text } }
    case 'leaveUnedited':
      return { ...extras, edited: null }
  }
}

/** As they were kept on the device or handed in before: what cannot be about these candidates is left out. */
export function readExtras(kept: unknown, candidates: readonly number[]): Extras {
  const { ratings, flags, spans, rationale, edited } = objectIn(kept)
  const { id, text } = objectIn(edited)
  return {
    ratings: about(candidates, ratings, (given) => {
      const known = Object.entries(objectIn(given)).filter(([, rating]) => RATINGS.includes(rating as number))
      return known.length > 0 ? (Object.fromEntries(known) as Ratings) : null
    }),
    flags: about(candidates, flags, (given) => someOf(given, isFlag)),
    spans: about(candidates, spans, (given) => someOf(given, isPassage)),
    rationale: typeof rationale === 'string' ? rationale : '',
    edited: candidates.includes(id as number) && typeof text === 'string' ? { id: id as number, text } : null,
  }
}

/** Rated as it is already, it is rated no more. */
function rated(ratings: Ratings, { axis, rating }: { axis: string; rating: number }): Ratings {
  const { [axis]: before, ...others } = ratings
  return before === rating ? others : { ...others, [axis]: rating }
}

function toggled(flags: readonly Flag[], flag: Flag): readonly Flag[] {
  return flags.includes(flag) ? flags.filter((other) => other !== flag) : [...flags, flag]
}

function about<T>(candidates: readonly number[], kept: unknown, read: (given: unknown) => T | null): Record<number, T> {
  const entries = candidates.map((id) => [id, read(objectIn(kept)[id])] as const)
  return Object.fromEntries(entries.filter((entry): entry is [number, T] => entry[1] !== null))
}

function someOf<T>(given: unknown, isOne: (value: unknown) => value is T): T[] | null {
  const some = Array.isArray(given) ? given.filter(isOne) : []
  return some.length > 0 ? some : null
}

function isPassage(value: unknown): value is Passage {
  const { start, end, flag } = objectIn(value)
  return Number.isInteger(start) && Number.isInteger(end) && (start as number) < (end as number) && isFlag(flag)
}

function objectIn(value: unknown): { [name: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : {}
}
