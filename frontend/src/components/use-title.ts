import { useEffect } from 'react'

/** Name the browser's tab: screen, campaign, product. */
export function useTitle(...parts: string[]): void {
  const title = [...parts.filter(Boolean), 'Rankwright'].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
