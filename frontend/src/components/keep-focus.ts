import type { MouseEvent } from 'react'

/** A pointer press that leaves the focus where it was, so that Enter still means the screen's submit. */
export function keepFocus(event: MouseEvent): void {
  event.preventDefault()
}
