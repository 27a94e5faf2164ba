import { diffArrays } from 'diff'

import { segmenterFor } from '@/shared/segments'

export type Change = { kind: 'same' | 'added' | 'removed'; text: string }

/** Beyond so many words that come or go, two texts have little in common, and finding what would take long. */
const MOST_EDITS = 1200

/** What becomes of ``before`` on the way to ``after``, word by word; null where they have too little in common. */
export function wordChanges(before: string, after: string, language?: string): Change[] | null {
  // Other spaces after the same word are no change. (jsdiff's own diffWords says some characters twice here.)
  const parts = diffArrays(wordsOf(before, language), wordsOf(after, language), {
    comparator: (left, right) => left.trimEnd() === right.trimEnd(),
    maxEditLength: MOST_EDITS,
  })
  if (!parts) return null
  return parts.map(({ value, added, removed }) => ({
    kind: added ? 'added' : removed ? 'removed' : 'same',
    text: value.join(''),
  }))
}

/** Words and signs, each with the space after it, so that spaces alone never match. */
function wordsOf(text: string, language: string | undefined): string[] {
  const words: string[] = []
  for (const { segment } of segmenterFor(language).segment(text)) {
    if (segment.trim() === '' && words.length > 0) words[words.length - 1] += segment
    else words.push(segment)
  }
  return words
}
