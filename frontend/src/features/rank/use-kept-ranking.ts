import { createContext, useCallback, useContext, useMemo, useState } from 'react'

import type { Assignment } from '@/api'
import { keepDraft, readDraft } from '@/shared/drafts'

import { type KeptRanking, readKept } from './kept-ranking'

export type { KeptRanking } from './kept-ranking'

type Keeping = { kept: KeptRanking | null; keep: (content: KeptRanking) => void }

/** Where somebody keeps it at the server too. */
export const Keeper = createContext<Keeping | null>(null)

/** What was kept of this ranking when it came on screen, and how to keep more: safe as soon as it is called. */
export function useKeptRanking({ id }: Pick<Assignment, 'id'>, person: number): Keeping {
  const keeper = useContext(Keeper)
  const key = useMemo(() => ({ kind: 'ranking', person, id }) as const, [person, id])
  const [kept] = useState(() => readKept(readDraft(key))?.content ?? null)
  const keep = useCallback((content: KeptRanking) => void keepDraft(key, { content, revision: 0 }), [key])
  return keeper ?? { kept, keep }
}
