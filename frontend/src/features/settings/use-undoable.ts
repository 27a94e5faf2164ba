import { useCallback, useState } from 'react'

import { prefer, type PreferenceChanges, readPreferences } from '@/shared/preferences'

/** Change preferences so that each change can be taken back, the last one first. */
export function useUndoable() {
  const [before, setBefore] = useState<readonly PreferenceChanges[]>([])

  const change = useCallback((changes: PreferenceChanges) => {
    const now = readPreferences()
    const names = Object.keys(changes) as (keyof PreferenceChanges)[]
    setBefore((earlier) => [...earlier, Object.fromEntries(names.map((name) => [name, now[name]]))])
    prefer(changes)
  }, [])

  const undo = useCallback(() => {
    const last = before.at(-1)
    if (!last) return false
    setBefore(before.slice(0, -1))
    prefer(last)
    return true
  }, [before])

  return { change, undo, canUndo: before.length > 0 }
}
