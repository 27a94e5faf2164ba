/**
 * Every keyboard command of the app, as data: the key listener, the shortcut sheet and the hints on buttons read
 * this one list.
 *
 * A chord is modifiers and a key joined by "+". "Mod" is Ctrl, on a Mac also Command. "Digit" stands for 1 to 9
 * and "Letter" for A to I: the answer in that place.
 */
export const SCOPES = ['rank', 'scale', 'adjudicate', 'demonstrate', 'review', 'chat', 'settings', 'everywhere'] as const
export type Scope = (typeof SCOPES)[number]

export type Command =
  | 'weigh'
  | 'showShortcuts'
  | 'showGuideline'
  | 'submitAnywhere'
  | 'place'
  | 'tie'
  | 'tieNext'
  | 'reject'
  | 'rejectNext'
  | 'undo'
  | 'redo'
  | 'moveUp'
  | 'moveDown'
  | 'clear'
  | 'submit'
  | 'nextAnswer'
  | 'previousAnswer'
  | 'foldPrompt'
  | 'chooseLeft'
  | 'chooseRight'
  | 'focusView'
  | 'compareView'
  | 'leaveView'
  | 'rawText'
  | 'showDifferences'
  | 'flagFocused'
  | 'note'
  | 'skip'
  | 'cannotJudge'
  | 'undoSubmit'
  | 'preview'
  | 'addTurn'
  | 'turnUp'
  | 'turnDown'
  | 'undoTurns'
  | 'showOrders'
  | 'accept'
  | 'writeReason'
  | 'showChanges'
  | 'undoSetting'
  | 'stopAnswer'
  | 'newChat'
  | 'leftBetter'
  | 'rightBetter'
  | 'bothGood'
  | 'bothBad'

export type Binding = {
  scope: Scope
  command: Command
  chords: readonly string[]
  /** Also while the focus is in a text field. */
  inFields?: true
}

export const KEYMAP: readonly Binding[] = [
  // Before the commands of "rank", whose digits it takes where two responses are weighed.
  { scope: 'scale', command: 'weigh', chords: ['Digit'] },
  { scope: 'rank', command: 'place', chords: ['Digit', 'Letter'] },
  { scope: 'rank', command: 'tie', chords: ['Shift+Digit', 'Shift+Letter'] },
  { scope: 'rank', command: 'tieNext', chords: ['='] },
  { scope: 'rank', command: 'reject', chords: ['Alt+Digit'] },
  { scope: 'rank', command: 'rejectNext', chords: ['X'] },
  { scope: 'rank', command: 'undo', chords: ['Backspace', 'Mod+Z'] },
  { scope: 'rank', command: 'redo', chords: ['Mod+Shift+Z', 'Mod+Y'] },
  { scope: 'rank', command: 'moveUp', chords: ['Alt+ArrowUp'] },
  { scope: 'rank', command: 'moveDown', chords: ['Alt+ArrowDown'] },
  { scope: 'rank', command: 'clear', chords: ['R'] },
  { scope: 'rank', command: 'nextAnswer', chords: ['J'] },
  { scope: 'rank', command: 'previousAnswer', chords: ['K'] },
  { scope: 'rank', command: 'chooseLeft', chords: ['ArrowLeft'] },
  { scope: 'rank', command: 'chooseRight', chords: ['ArrowRight'] },
  { scope: 'rank', command: 'foldPrompt', chords: ['P'] },
  { scope: 'rank', command: 'focusView', chords: ['O'] },
  { scope: 'rank', command: 'compareView', chords: ['M'] },
  { scope: 'rank', command: 'leaveView', chords: ['Escape'] },
  { scope: 'rank', command: 'rawText', chords: ['V'] },
  { scope: 'rank', command: 'showDifferences', chords: ['T'] },
  { scope: 'rank', command: 'flagFocused', chords: ['W'] },
  { scope: 'rank', command: 'note', chords: ['N'] },
  { scope: 'rank', command: 'skip', chords: ['S'] },
  { scope: 'rank', command: 'cannotJudge', chords: ['U'] },
  { scope: 'rank', command: 'submit', chords: ['Enter'] },
  { scope: 'rank', command: 'undoSubmit', chords: ['Shift+U'] },
  { scope: 'adjudicate', command: 'showOrders', chords: ['Q'] },
  { scope: 'review', command: 'accept', chords: ['Y'] },
  { scope: 'review', command: 'writeReason', chords: ['R'] },
  { scope: 'review', command: 'showChanges', chords: ['V'] },
  { scope: 'demonstrate', command: 'preview', chords: ['Mod+Shift+P'], inFields: true },
  { scope: 'demonstrate', command: 'addTurn', chords: ['Alt+N'], inFields: true },
  { scope: 'demonstrate', command: 'turnUp', chords: ['Alt+ArrowUp'], inFields: true },
  { scope: 'demonstrate', command: 'turnDown', chords: ['Alt+ArrowDown'], inFields: true },
  { scope: 'demonstrate', command: 'undoTurns', chords: ['Mod+Z'] },
  { scope: 'chat', command: 'leftBetter', chords: ['1'] },
  { scope: 'chat', command: 'rightBetter', chords: ['2'] },
  { scope: 'chat', command: 'bothGood', chords: ['3'] },
  { scope: 'chat', command: 'bothBad', chords: ['4'] },
  { scope: 'chat', command: 'stopAnswer', chords: ['Escape'], inFields: true },
  { scope: 'chat', command: 'newChat', chords: ['Alt+N'], inFields: true },
  { scope: 'settings', command: 'undoSetting', chords: ['Mod+Z'] },
  { scope: 'everywhere', command: 'submitAnywhere', chords: ['Mod+Enter'], inFields: true },
  { scope: 'everywhere', command: 'showGuideline', chords: ['L'] },
  { scope: 'everywhere', command: 'showShortcuts', chords: ['?'] },
]

/** Whose commands are heard at the same time, beside those that are heard everywhere. "scale" goes before "rank". */
const TOGETHER: readonly (readonly Scope[])[] = [['rank', 'adjudicate']]

export function areHeardTogether(one: Scope, other: Scope): boolean {
  if (one === other || one === 'everywhere' || other === 'everywhere') return true
  return TOGETHER.some((scopes) => scopes.includes(one) && scopes.includes(other))
}

export { ariaKeysFor, keysFor, keysOf } from './bindings'
