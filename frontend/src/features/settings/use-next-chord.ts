import { useEffect, useEffectEvent } from 'react'

import { chordOf } from '@/shared/keys'

/** While something is asked for, key presses are its chord. Escape takes the question back; Tab goes on as ever. */
export function useNextChord<Asked>(asked: Asked | null, onChord: (asked: Asked, chord: string) => void, onCancel: () => void) {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (asked === null || event.repeat) return
    const isBare = !event.ctrlKey && !event.altKey && !event.metaKey
    if (event.key === 'Tab' && isBare) return onCancel()
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Escape' && isBare) return onCancel()
    const chord = chordOf(event)
    if (chord !== null) onChord(asked, chord)
  })

  const isAsking = asked !== null
  useEffect(() => {
    if (!isAsking) return
    const listener = (event: KeyboardEvent) => onKeyDown(event)
    // Before everything else: neither the screen's commands nor the button under the focus may hear it.
    addEventListener('keydown', listener, { capture: true })
    return () => removeEventListener('keydown', listener, { capture: true })
  }, [isAsking])
}
