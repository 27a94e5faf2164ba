import { useEffect, useRef } from 'react'

import type { Ballot, Move } from './ballot'

/** A ref for the list of chips, which can be dragged from when it is wanted: the library comes only then. */
export function useDragging(isWanted: boolean, ballot: Ballot, onMove: (move: Move) => void) {
  const chips = useRef<HTMLOListElement>(null)

  useEffect(() => {
    if (!isWanted || !chips.current) return
    const list = chips.current
    let stop: (() => void) | null = null
    let isGone = false
    void import('./dragging').then(({ letChipsBeDragged }) => {
      if (!isGone) stop = letChipsBeDragged(list, ballot.tiers, onMove)
    })
    return () => {
      isGone = true
      stop?.()
    }
  }, [isWanted, ballot, onMove])

  return chips
}
