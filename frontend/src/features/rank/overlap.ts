import type { Candidate } from '@/api'
import { segmenterFor } from '@/shared/segments'

/** From here on two responses are one with changes; below, a comparison word by word shows nothing. */
const NEAR = 0.6

/** So much of a text is looked at: enough to tell, and never long. */
const MOST_CHARACTERS = 20_000

/** For each response that nearly repeats an earlier one: which. */
export function nearDuplicates(candidates: readonly Candidate[], language: string | undefined): ReadonlyMap<number, number> {
  const told = candidates.map(({ id, text }) => ({ id, words: countWords(text, language) }))
  return new Map(
    told.flatMap(({ id, words }, place): [number, number][] => {
      const near = told.slice(0, place).find((earlier) => overlapOf(earlier.words, words) > NEAR)
      return near ? [[id, near.id]] : []
    }),
  )
}

/** How much of the longer text the two have in common, word by word, wherever it stands. */
export function overlapOf(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  const shared = [...one].reduce((sum, [word, count]) => sum + Math.min(count, other.get(word) ?? 0), 0)
  const longer = Math.max(sizeOf(one), sizeOf(other))
  return longer === 0 ? 0 : shared / longer
}

export function countWords(text: string, language: string | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { segment, isWordLike } of segmenterFor(language).segment(text.slice(0, MOST_CHARACTERS))) {
    if (isWordLike) counts.set(segment, (counts.get(segment) ?? 0) + 1)
  }
  return counts
}

function sizeOf(words: ReadonlyMap<string, number>): number {
  return [...words.values()].reduce((sum, count) => sum + count, 0)
}
