import { useEffect, useEffectEvent } from 'react'

import type { Command, Scope } from './keymap'
import { readStroke } from './keys'
import { usePreferences } from './preferences'

/** What to do on a command; answering ``false`` leaves the key to the browser. */
export type Commands = Partial<Record<Command, (place: number) => unknown>>

/** A dialog on top takes the keyboard for itself; what is open in another tab takes nothing. */
const CLOSED = '[role="dialog"], [data-elsewhere]'

/** Listen for the keymap's commands while the component is shown. */
export function useCommands(scopes: readonly Scope[], commands: Commands): void {
  const preferences = usePreferences()

  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat || document.querySelector(CLOSED)) return
    const stroke = readStroke(event, scopes, preferences)
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
