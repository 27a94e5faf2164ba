import { type Binding, type Command, KEYMAP } from './keymap'
import { type Preferences, readPreferences } from './preferences'

const CAPTIONS: Record<string, string> = {
  Digit: '1 … 9',
  Letter: 'A … I',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  Mod: 'Ctrl',
}
const ARIA: Record<string, string> = { Mod: 'Control' }

/** What a command is called among somebody's own keys. */
export function nameOf({ scope, command }: Pick<Binding, 'scope' | 'command'>): string {
  return `${scope}.${command}`
}

/** The keymap with the keys that somebody gave to commands. */
export function bindingsWith(keys: Preferences['keys']): readonly Binding[] {
  if (Object.keys(keys).length === 0) return KEYMAP
  return KEYMAP.map((binding) => ({ ...binding, chords: keys[nameOf(binding)] ?? binding.chords }))
}

/** A letter, digit or sign alone, which dictation software may press by mistake (WCAG 2.1.4). */
export function isSingleKey(chord: string): boolean {
  return /^(Shift\+)?(.|Digit|Letter)$/u.test(chord)
}

/** A chord as its keys are labeled; with ``place``, of the answer in that place. */
export function keysOf(chord: string, place?: number): string[] {
  return chord.split(/(?<=.)\+/).map((key) => (place !== undefined && keyAt(key, place)) || (CAPTIONS[key] ?? key))
}

/** The keys of a command's first chord, for the hint on its button; none where it has none. */
export function keysFor(command: Command, place?: number): string[] {
  const [chord] = chordsFor(command)
  return chord ? keysOf(chord, place) : []
}

/** A command's chords as ``aria-keyshortcuts`` spells them. */
export function ariaKeysFor(command: Command, place?: number): string | undefined {
  const spelled = chordsFor(command).map((chord) =>
    chord.split(/(?<=.)\+/).map((key) => (place !== undefined && keyAt(key, place)) || (ARIA[key] ?? key)).join('+'),
  )
  return spelled.join(' ') || undefined
}

function chordsFor(command: Command): readonly string[] {
  const { keys, single_keys } = readPreferences()
  const { chords } = bindingsWith(keys).find((binding) => binding.command === command)!
  return single_keys ? chords : chords.filter((chord) => !isSingleKey(chord))
}

function keyAt(key: string, place: number): string | undefined {
  if (key === 'Digit') return String(place + 1)
  return key === 'Letter' ? 'ABCDEFGHI'[place] : undefined
}
