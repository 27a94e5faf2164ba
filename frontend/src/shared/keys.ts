import { bindingsWith, isSingleKey } from './bindings'
import type { Binding, Command, Scope } from './keymap'
import { AS_THEY_COME, type Preferences } from './preferences'

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
export function readStroke(
  event: KeyboardEvent,
  scopes: readonly Scope[],
  { keys, single_keys }: Pick<Preferences, 'keys' | 'single_keys'> = AS_THEY_COME,
): Stroke | null {
  if (isComposing(event)) return null
  const inField = isField(event.target)
  for (const binding of bindingsWith(keys)) {
    if (!scopes.includes(binding.scope) || (inField && !binding.inFields)) continue
    for (const chord of binding.chords) {
      if (!single_keys && isSingleKey(chord)) continue
      const place = match(event, chord)
      if (place !== null) return isOnControl(event, binding) ? null : { command: binding.command, place }
    }
  }
  return null
}

export function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null
}

/** The chord that a key press makes, spelled as in the keymap; null for a modifier alone, or where a word is composed. */
export function chordOf(event: KeyboardEvent): string | null {
  const key = keyOf(event)
  if (isComposing(event) || key === null) return null
  const { mod, alt, shift } = modifiersOf(event)
  const held = [mod && 'Mod', alt && 'Alt', shift && !isSign(key) && 'Shift']
  return [...held.filter(Boolean), key].join('+')
}

/** Enter on a focused button or link presses that, not the screen's submit. */
function isOnControl(event: KeyboardEvent, binding: Binding): boolean {
  return (
    event.key === 'Enter' &&
    !binding.inFields &&
    event.target instanceof Element &&
    event.target.closest('button, a, summary, [role="menuitem"]') !== null
  )
}

function match(event: KeyboardEvent, chord: string): number | null {
  const pressed = chordOf(event)
  if (pressed === null) return null
  if (pressed.toLowerCase() === chord.toLowerCase()) return 0
  const [, modifiers, family] = /^(.*\+)?(Digit|Letter)$/.exec(chord) ?? []
  if (!family) return null
  const place = family === 'Digit' ? '123456789' : 'ABCDEFGHI'
  const key = pressed.slice(modifiers?.length ?? 0)
  return pressed.startsWith(modifiers ?? '') && key.length === 1 && place.includes(key) ? place.indexOf(key) : null
}

function modifiersOf(event: KeyboardEvent) {
  if (isAltGraph(event)) return { mod: false, alt: false, shift: event.shiftKey }
  return { mod: event.ctrlKey || event.metaKey, alt: event.altKey, shift: event.shiftKey }
}

/** AltGr makes signs; some systems tell of it as of Ctrl and Alt. On a Mac it is what Alt is called. */
function isAltGraph(event: KeyboardEvent): boolean {
  return event.getModifierState('AltGraph') && !(event.altKey && !event.ctrlKey)
}

/** The key's name: digits by their place on the keyboard, letters in capitals, signs as they are written. */
function keyOf(event: KeyboardEvent): string | null {
  const { key, code } = event
  if (/^(Control|Shift|Alt|AltGraph|Meta|CapsLock|NumLock|Fn|OS|Process|Unidentified)$/.test(key)) return null
  if (isAltGraph(event)) return isSign(key) ? key : null
  // By position, so that layouts with digits on Shift (AZERTY) work without it.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)
  if (digit) return digitOf(event, digit[1]!)
  // By position too where the layout writes no Latin letters, or Alt writes a sign (Mac).
  const letter = /^Key([A-Z])$/.exec(code)
  if (letter && !/^[a-z]$/i.test(key) && (event.altKey || key === 'Dead' || /^\p{L}$/u.test(key))) return letter[1]!
  return key.length === 1 ? key.toUpperCase() : key
}

function digitOf(event: KeyboardEvent, digit: string): string {
  if (event.code.startsWith('Numpad')) return /^\d$/.test(event.key) || event.shiftKey ? digit : event.key
  // The signs of the keymap may stand on a digit's key: "=" is Shift+0 in German.
  return event.key === '=' || event.key === '?' ? event.key : digit
}

/** What Shift or AltGr may be needed for, differently in each layout. */
function isSign(key: string): boolean {
  return key.length === 1 && !/[\p{L}\p{N} ]/u.test(key)
}
