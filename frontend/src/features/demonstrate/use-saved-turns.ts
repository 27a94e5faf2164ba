import { useEffect, useState, useSyncExternalStore } from 'react'

import { ApiError, claimDemonstration, type Demonstration, saveDraft, type Turn } from '@/api'
import { useIsElsewhere } from '@/components/only-here'
import type { Saving } from '@/shared/draft-saver'

import { KeptTurns } from './kept-turns'

export type { Saved } from './kept-turns'

type Options = { demonstration: Demonstration; person: number; seconds: () => number }

/** The turns of a demonstration, saved while the component is shown. */
export function useSavedTurns({ demonstration, person, seconds }: Options) {
  const [kept] = useState(
    () =>
      new KeptTurns({
        demonstration,
        person,
        seconds,
        save: (turns, revision, keepalive) => save(demonstration, person, turns, revision, keepalive),
      }),
  )
  const isElsewhere = useIsElsewhere()
  const state = useSyncExternalStore(kept.subscribe, kept.snapshot)

  useEffect(() => {
    kept.open()
    const leave = () => document.visibilityState === 'hidden' && kept.flush(true)
    const online = () => kept.flush()
    document.addEventListener('visibilitychange', leave)
    addEventListener('online', online)
    return () => {
      document.removeEventListener('visibilitychange', leave)
      removeEventListener('online', online)
      kept.leave()
    }
  }, [kept])

  useEffect(() => {
    if (isElsewhere) kept.giveUp()
  }, [kept, isElsewhere])

  return { ...state, change: kept.change, settle: kept.settle, close: kept.close }
}

async function save(
  { id, campaign }: Demonstration,
  person: number,
  turns: Turn[],
  revision: number,
  keepalive: boolean,
): Promise<Saving<Demonstration>> {
  try {
    const stored = await saveDraft(id, { turns, revision }, { person, keepalive })
    return { kind: 'saved', revision: stored.revision ?? revision + 1 }
  } catch (error) {
    if (!(error instanceof ApiError) || error.isTemporary || error.isSignedOut) return { kind: 'failed' }
    if (error.code !== 'stale_revision') return { kind: 'over' }
    const { demonstration: theirs } = await claimDemonstration(campaign)
    // Handed in from elsewhere, it is no draft any more.
    return theirs?.id === id ? { kind: 'parted', theirs } : { kind: 'over' }
  }
}
