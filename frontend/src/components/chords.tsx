import { Kbd } from '@mantine/core'

import { keysOf } from '@/shared/bindings'

/** Chords as their keys are labeled. */
export function Chords({ chords }: { chords: readonly string[] }) {
  return chords.length === 0 ? <>–</> : chords.map((chord) => (
    <span key={chord} className="chord">
      {keysOf(chord).map((key) => <Kbd key={key}>{key}</Kbd>)}
    </span>
  ))
}
