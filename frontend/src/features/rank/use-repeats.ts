import { useEffect, useState } from 'react'

import type { Assignment } from '@/api'

const NONE: ReadonlyMap<number, number> = new Map()

/** Which responses nearly repeat an earlier one: found out while nobody waits for anything. */
export function useRepeats({ candidates, prompt }: Assignment): ReadonlyMap<number, number> {
  const [repeats, setRepeats] = useState(NONE)

  useEffect(() => {
    let isGone = false
    const look = async () => {
      // Without a network it may not come: then nothing is said of repeats.
      const overlap = await import('./overlap').catch(() => null)
      if (overlap && !isGone) setRepeats(overlap.nearDuplicates(candidates, prompt.language))
    }
    const leave = whenIdle(() => void look())
    return () => {
      isGone = true
      leave()
    }
  }, [candidates, prompt.language])

  return repeats
}

/** Safari has no idle time to tell of. Returns how to call it off. */
function whenIdle(run: () => void): () => void {
  if (typeof requestIdleCallback === 'undefined') {
    const timer = setTimeout(run, 300)
    return () => clearTimeout(timer)
  }
  const asked = requestIdleCallback(run, { timeout: 2000 })
  return () => cancelIdleCallback(asked)
}
