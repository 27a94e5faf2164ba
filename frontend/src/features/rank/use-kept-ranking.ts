import { useCallback, useMemo, useState } from 'react'

import type { Assignment } from '@/api'
import { keepDraft, readDraft } from '@/shared/drafts'

/** What is kept of a ranking under way: an object of the screen's own making, which must be read with distrust. */
export type KeptRanking = { readonly [name: string]: unknown }

/** What was kept of this ranking when it came on screen, and how to keep more: safe as soon as it is called. */
export function useKeptRanking({ id }: Assignment, person: number) {
  const key = useMemo(() => ({ kind: 'ranking', person, id }) as const, [person, id])
  const [kept] = useState(() => readKept(readDraft(key)))
  const keep = useCallback((content: KeptRanking) => void keepDraft(key, content), [key])
  return { kept, keep }
}

function readKept(value: unknown): KeptRanking | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as KeptRanking) : null
}
