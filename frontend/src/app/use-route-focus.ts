import { useEffect, useRef } from 'react'

/** After a change of address the focus stands on the new screen's heading, as after loading a page. */
export function useRouteFocus(location: string): void {
  const before = useRef(location)

  useEffect(() => {
    if (before.current === location) return
    before.current = location
    scrollTo(0, 0)
    return whenHeadingIsThere((heading) => {
      // A screen may have put the focus where its work begins.
      if (document.activeElement?.closest('main')) return
      heading.tabIndex = -1
      heading.focus({ preventScroll: true })
    })
  }, [location])
}

/** A screen and its content may come late. Returns how to stop waiting. */
function whenHeadingIsThere(then: (heading: HTMLElement) => void): () => void {
  const main = document.getElementById('main')!
  const look = () => {
    // The screen before may still be there, hidden until this one has come.
    const heading = [...main.querySelectorAll('h1')].find((candidate) => candidate.checkVisibility())
    if (heading) {
      observer.disconnect()
      then(heading)
    }
  }
  const observer = new MutationObserver(look)
  observer.observe(main, { childList: true, subtree: true })
  look()
  return () => observer.disconnect()
}
