import { type Binding, type Command, KEYMAP, type Scope } from './keymap'

export type Stroke = {
  command: Command
  /** For "Digit" and "Letter": which answer, from 0. */
  place: number
}

/** Whether an input method is in the middle of a word: its Enter and digits choose characters, not commands. */
export function isComposing(event: KeyboardEvent): boolean {
  // Safari ends the composition before the Enter that ended it; keyCode 229 still tells.
  return event.isComposing || event.keyCode === 229
}

/** The command that a key press means where ``scopes`` are active, or null. */
export function readStroke(event: KeyboardEvent, scopes: readonly Scope[], singleKeys = true): Stroke | null {
  if (isComposing(event)) return null
  const inField = isField(event.target)
  for (const binding of KEYMAP) {
    if (!scopes.includes(binding.scope) || (inField && !binding.inFields)) continue
    for (const chord of binding.chords) {
      if (!singleKeys && isSingleKey(chord)) continue
      const place = match(event, chord)
      if (place !== null) return isOnControl(event, binding) ? null : { command: binding.command, place }
    }
  }
  return null
}

export function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null
}

/** A letter, digit or sign alone, which dictation software may press by mistake (WCAG 2.1.4). */
export function isSingleKey(chord: string): boolean {
  return !/^(Mod|Alt)\+/.test(chord) && chord !== 'Enter' && chord !== 'Backspace'
}

/** Enter on a focused button or link presses that, not the screen's submit. */
function isOnControl(event: KeyboardEvent, binding: Binding): boolean {
  return (
    binding.command === 'submit' &&
    event.target instanceof Element &&
    event.target.closest('button, a, [role="menuitem"]') !== null
  )
}

function match(event: KeyboardEvent, chord: string): number | null {
  const parts = chord.split('+')
  const key = parts.at(-1)!
  const wants = (modifier: string) => parts.slice(0, -1).includes(modifier)

  if ((event.ctrlKey || event.metaKey) !== wants('Mod') || event.altKey !== wants('Alt')) return null
  if (key === '=' || key === '?') return event.key === key ? 0 : null
  if (event.shiftKey !== wants('Shift')) return null
  if (key === 'Digit') return digitOf(event)
  if (key === 'Letter') return letterOf(event)
  return event.key.toLowerCase() === key.toLowerCase() ? 0 : null
}

function digitOf(event: KeyboardEvent): number | null {
  // By position, so that layouts with digits on Shift (AZERTY) work without it.
  const digit = /^(Digit|Numpad)([1-9])$/.exec(event.code)
  if (!digit) return null
  const isNavigation = digit[1] === 'Numpad' && !event.shiftKey && !/^[1-9]$/.test(event.key)
  return isNavigation ? null : Number(digit[2]) - 1
}

function letterOf(event: KeyboardEvent): number | null {
  return /^[a-i]$/i.test(event.key) ? event.key.toLowerCase().charCodeAt(0) - 97 : null
}
