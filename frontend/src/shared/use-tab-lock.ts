import { useCallback, useEffect, useRef, useState } from 'react'

import { lockManager } from './tab-locks'

/**
 * One tab at a time works on what is named. ``isElsewhere``: another one does; ``turn`` grows each time it
 * becomes this tab's, whose work then goes on from what the other one kept.
 */
export function useTabLock(name: string) {
  const [isElsewhere, setElsewhere] = useState(false)
  const [turn, setTurn] = useState(0)
  const wasElsewhere = useRef(false)
  const leave = useRef<AbortController | null>(null)

  const hold = useCallback(
    async (options: LockOptions): Promise<boolean> => {
      const locks = lockManager()
      const leaving = leave.current
      if (!locks || !leaving) return true
      return locks
        .request(name, options, async (lock) => {
          if (!lock || leaving.signal.aborted) return lock !== null
          if (wasElsewhere.current) setTurn((count) => count + 1)
          wasElsewhere.current = false
          setElsewhere(false)
          await new Promise((resolve) => leaving.signal.addEventListener('abort', resolve))
          return true
        })
        // Taken over by another tab, or given up.
        .catch(() => false)
    },
    [name],
  )

  /** Until it is free: then it is ours. */
  const wait = useCallback(async () => {
    const leaving = leave.current
    while (leaving && !leaving.signal.aborted) {
      wasElsewhere.current = true
      setElsewhere(true)
      if (await hold({ signal: leaving.signal })) return
    }
  }, [hold])

  useEffect(() => {
    const leaving = new AbortController()
    leave.current = leaving
    void hold({ ifAvailable: true }).then((isHeld) => (isHeld ? undefined : wait()))
    return () => leaving.abort()
  }, [hold, wait])

  const takeOver = useCallback(() => {
    void hold({ steal: true }).then((isHeld) => (isHeld ? undefined : wait()))
  }, [hold, wait])

  return { isElsewhere, turn, takeOver }
}
