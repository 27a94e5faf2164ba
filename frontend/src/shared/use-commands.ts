import { useEffect, useEffectEvent } from 'react'

import type { Command, Scope } from './keymap'
import { readStroke } from './keys'
import { useSingleKeys } from './single-keys'

/** What to do on a command; answering ``false`` leaves the key to the browser. */
export type Commands = Partial<Record<Command, (place: number) => unknown>>

/** Listen for the keymap's commands while the component is shown. A dialog on top takes the keyboard for itself. */
export function useCommands(scopes: readonly Scope[], commands: Commands): void {
  const [singleKeys] = useSingleKeys()

  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat || document.querySelector('[role="dialog"]')) return
    const stroke = readStroke(event, scopes, singleKeys)
    const run = stroke && commands[stroke.command]
    if (!run || run(stroke.place) === false) return
    event.preventDefault()
  })

  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKeyDown(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [])
}
