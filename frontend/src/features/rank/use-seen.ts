import { useCallback, useState } from 'react'

/** Whether the end of something was ever in sight, and the ref for what stands at its end. */
export function useSeen() {
  const [isSeen, setSeen] = useState(false)

  const end = useCallback((element: HTMLElement | null) => {
    if (!element || typeof IntersectionObserver === 'undefined') return
    // What the bar at the bottom covers is not in sight.
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        setSeen(true)
        observer.disconnect()
      },
      { rootMargin: '0px 0px -72px 0px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  return { isSeen, end }
}
