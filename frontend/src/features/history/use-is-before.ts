import { useEffect, useState } from 'react'

/** Whether a moment is still to come; false from then on, and where there is none. */
export function useIsBefore(moment: string | null): boolean {
  const [, setPassed] = useState(0)
  useEffect(() => {
    if (!moment) return
    const left = Date.parse(moment) - Date.now()
    // A timer cannot wait for longer than 24 days; nobody looks at one page for so long.
    if (left <= 0 || left > 2 ** 31 - 1) return
    const timer = setTimeout(() => setPassed((count) => count + 1), left)
    return () => clearTimeout(timer)
  }, [moment])
  // eslint-disable-next-line react-hooks/purity -- the timer above renders it again when this changes
  return moment !== null && Date.parse(moment) > Date.now()
}
