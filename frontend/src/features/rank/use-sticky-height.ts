import { useCallback } from 'react'

/** A ref for what sticks to the top: its height becomes ``--sticky-height`` for what sticks below it. */
export function useStickyHeight() {
  return useCallback((element: HTMLElement | null) => {
    if (!element || typeof ResizeObserver === 'undefined') return
    const observer = new ResizeObserver(() => {
      element.parentElement?.style.setProperty('--sticky-height', `${element.offsetHeight}px`)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
}
