import { bindingsWith, isSingleKey, nameOf } from '@/shared/bindings'
import { areHeardTogether, type Binding, KEYMAP } from '@/shared/keymap'
import type { Preferences } from '@/shared/preferences'

type Keys = Preferences['keys']

/** Why a chord cannot be given to a command. */
export type Refusal =
  | { because: 'reserved' | 'needsPlace' | 'needsModifier' }
  | { because: 'taken'; by: Binding }

/** What browsers keep for themselves, what moves the focus or the page, and what people need in any page. */
const RESERVED = new Set(
  `Tab Shift+Tab Escape Space ArrowUp ArrowDown ArrowLeft ArrowRight PageUp PageDown Home End Delete Insert ContextMenu
   F1 F3 F5 F6 F7 F10 F11 F12 Alt+ArrowLeft Alt+ArrowRight Alt+Home Alt+F4 Alt+Tab Alt+Space
   Mod+A Mod+C Mod+V Mod+X Mod+D Mod+F Mod+G Mod+H Mod+J Mod+K Mod+L Mod+M Mod+N Mod+O Mod+P Mod+Q Mod+R Mod+T Mod+U Mod+W
   Mod+Tab Mod+F4 Mod+PageUp Mod+PageDown Mod++ Mod+- Mod+= Mod+0 Mod+1 Mod+2 Mod+3 Mod+4 Mod+5 Mod+6 Mod+7 Mod+8 Mod+9 Mod+Digit
   Mod+Shift+A Mod+Shift+C Mod+Shift+I Mod+Shift+J Mod+Shift+N Mod+Shift+Q Mod+Shift+R Mod+Shift+T Mod+Shift+W
   Mod+Shift+Tab Mod+Shift+Delete`.split(/\s+/),
)

/** The chord that a command gets when somebody presses ``pressed`` for it: whole rows where it needs a place. */
export function chordFor(binding: Binding, pressed: string): string {
  if (!needsPlace(binding)) return pressed
  return pressed.replace(/(?<=^|\+)[1-9]$/, 'Digit').replace(/(?<=^|\+)[A-I]$/, 'Letter')
}

/** Why ``binding`` cannot have ``chord`` beside the others; null when it can. */
export function refusalOf(binding: Binding, chord: string, keys: Keys): Refusal | null {
  if (RESERVED.has(chord === ' ' ? 'Space' : chord.replace(/\+ $/, '+Space'))) return { because: 'reserved' }
  if (needsPlace(binding) && !isRow(chord)) return { because: 'needsPlace' }
  if (binding.inFields && isSingleKey(chord)) return { because: 'needsModifier' }
  const by = bindingsWith(keys).find(
    (other) =>
      nameOf(other) !== nameOf(binding) &&
      areHeardTogether(other.scope, binding.scope) &&
      other.chords.some((taken) => overlap(taken, chord)),
  )
  return by ? { because: 'taken', by } : null
}

/** One's own keys with ``chord`` as the only one of a command. */
export function withChord(keys: Keys, binding: Binding, chord: string): Keys {
  return without({ ...keys, [nameOf(binding)]: [chord] })
}

/** One's own keys with a command's as they come. */
export function withoutOwn(keys: Keys, binding: Binding): Keys {
  return Object.fromEntries(Object.entries(keys).filter(([name]) => name !== nameOf(binding)))
}

export function hasOwn(keys: Keys, binding: Binding): boolean {
  return nameOf(binding) in keys
}

/** Whose keys, as they come, are another command's by now: it cannot have them back before that one is changed. */
export function refusalOfReset(binding: Binding, keys: Keys): Refusal | null {
  const { chords } = KEYMAP.find((other) => nameOf(other) === nameOf(binding))!
  return chords.map((chord) => refusalOf(binding, chord, keys)).find((refusal) => refusal?.because === 'taken') ?? null
}

/** What is as it comes is nobody's own. */
function without(keys: Keys): Keys {
  const isOwn = ([name, chords]: [string, string[]]) =>
    KEYMAP.find((binding) => nameOf(binding) === name)?.chords.join(' ') !== chords.join(' ')
  return Object.fromEntries(Object.entries(keys).filter(isOwn))
}

function needsPlace(binding: Binding): boolean {
  return KEYMAP.find((other) => nameOf(other) === nameOf(binding))!.chords.some(isRow)
}

function isRow(chord: string): boolean {
  return /(^|\+)(Digit|Letter)$/.test(chord)
}

/** Whether one key press can mean both. */
function overlap(one: string, other: string): boolean {
  return one === other || contains(one, other) || contains(other, one)
}

function contains(row: string, chord: string): boolean {
  const modifiers = row.replace(/(Digit|Letter)$/, '')
  if (modifiers === row || !chord.startsWith(modifiers)) return false
  const key = chord.slice(modifiers.length)
  return row.endsWith('Digit') ? /^[1-9]$/.test(key) : /^[A-I]$/.test(key)
}
