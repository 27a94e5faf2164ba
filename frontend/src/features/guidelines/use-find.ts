import { type RefObject, useEffect, useState } from 'react'

import { findIn } from '@/shared/find'

const ALL = 'found'
const CURRENT = 'found-now'

/**
 * Mark where ``wanted`` stands in an element's text, and go from one to the next.
 *
 * The marks are the browser's (CSS custom highlights), so that the text stays as it was rendered; a browser
 * without them still counts and scrolls.
 */
export function useFind(body: RefObject<HTMLElement | null>, wanted: string) {
  const [ranges, setRanges] = useState<readonly Range[]>([])
  const [{ at, of }, setAt] = useState({ at: 0, of: wanted })
  // Another word begins at its first place.
  if (of !== wanted) setAt({ at: 0, of: wanted })

  useEffect(() => {
    const element = body.current
    if (!element) return
    const look = () => setRanges(rangesIn(element, wanted))
    look()
    // Formulas and code are drawn later than the words around them.
    const redrawn = new MutationObserver(look)
    redrawn.observe(element, { childList: true, characterData: true, subtree: true })
    return () => redrawn.disconnect()
  }, [body, wanted])

  const current = ranges[Math.min(at, ranges.length - 1)]
  useEffect(() => {
    mark(ALL, ranges)
    mark(CURRENT, current ? [current] : [])
    if (current && body.current) reveal(current, body.current)
    return () => {
      mark(ALL, [])
      mark(CURRENT, [])
    }
  }, [ranges, current, body])

  const go = (step: 1 | -1) => setAt({ at: (at + step + ranges.length) % Math.max(1, ranges.length), of: wanted })
  return { count: ranges.length, place: Math.min(at, ranges.length - 1) + 1, go }
}

function rangesIn(element: HTMLElement, wanted: string): Range[] {
  const nodes: Text[] = []
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) nodes.push(walker.currentNode as Text)
  return findIn(nodes.map(({ data }) => data), wanted).map(({ from, to }) => {
    const range = document.createRange()
    range.setStart(nodes[from.piece]!, from.offset)
    range.setEnd(nodes[to.piece]!, to.offset)
    return range
  })
}

function mark(name: string, ranges: readonly Range[]): void {
  if (typeof Highlight === 'undefined' || !('highlights' in CSS)) return
  if (ranges.length > 0) CSS.highlights.set(name, new Highlight(...ranges))
  else CSS.highlights.delete(name)
}

/** Scroll the text alone: the task beside it stays where it is. */
function reveal(range: Range, scroller: HTMLElement): void {
  const box = range.getBoundingClientRect?.()
  const window = scroller.getBoundingClientRect()
  if (!box || (box.top >= window.top && box.bottom <= window.bottom)) return
  scroller.scrollTop += box.top - window.top - window.height / 3
}
