import { afterEach, describe, expect, it } from 'vitest'

import { isSingleKey } from './bindings'
import { KEYMAP, type Scope } from './keymap'
import { chordOf, readStroke } from './keys'

const RANK: Scope[] = ['rank', 'everywhere']
const WRITE: Scope[] = ['demonstrate', 'everywhere']
const ADJUDICATE: Scope[] = ['rank', 'adjudicate', 'everywhere']
const REVIEW: Scope[] = ['review', 'everywhere']

afterEach(() => document.body.replaceChildren())

/** A key press as the browser tells it, on the page or on an element. */
function press(init: KeyboardEventInit, on: HTMLElement = document.body): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { bubbles: true, ...init })
  on.dispatchEvent(event)
  return event
}

function element(html: string): HTMLElement {
  document.body.innerHTML = html
  return document.body.firstElementChild as HTMLElement
}

const place = (at: number) => ({ command: 'place', place: at })

describe('a digit', () => {
  it('means the response in that place, from the row or the number pad', () => {
    expect(readStroke(press({ key: '3', code: 'Digit3' }), RANK)).toEqual(place(2))
    expect(readStroke(press({ key: '3', code: 'Numpad3' }), RANK)).toEqual(place(2))
  })

  it('is told by its position where the layout has other signs on it', () => {
    expect(readStroke(press({ key: '"', code: 'Digit3' }), RANK)).toEqual(place(2))
  })

  it('ties with Shift and rejects with Alt', () => {
    expect(readStroke(press({ key: '#', code: 'Digit3', shiftKey: true }), RANK)).toEqual({ command: 'tie', place: 2 })
    expect(readStroke(press({ key: '3', code: 'Digit3', altKey: true }), RANK)).toEqual({ command: 'reject', place: 2 })
  })

  it('is the browser\'s with Ctrl, and navigation without Num Lock', () => {
    expect(readStroke(press({ key: '1', code: 'Digit1', ctrlKey: true }), RANK)).toBeNull()
    expect(readStroke(press({ key: 'End', code: 'Numpad1' }), RANK)).toBeNull()
  })

  it('says nothing where nothing is ranked', () => {
    expect(readStroke(press({ key: '3', code: 'Digit3' }), WRITE)).toBeNull()
  })
})

describe('a letter', () => {
  it('from A to I means the response called so, in either case', () => {
    expect(readStroke(press({ key: 'a', code: 'KeyA' }), RANK)).toEqual(place(0))
    expect(readStroke(press({ key: 'I', code: 'KeyI' }), RANK)).toEqual(place(8))
    expect(readStroke(press({ key: 'B', code: 'KeyB', shiftKey: true }), RANK)).toEqual({ command: 'tie', place: 1 })
  })

  it('after I means a command or nothing', () => {
    expect(readStroke(press({ key: 's', code: 'KeyS' }), RANK)?.command).toBe('skip')
    expect(readStroke(press({ key: 'q', code: 'KeyQ' }), RANK)).toBeNull()
  })
})

describe('chords', () => {
  it('are the same with Ctrl and with Command', () => {
    expect(readStroke(press({ key: 'z', ctrlKey: true }), RANK)?.command).toBe('undo')
    expect(readStroke(press({ key: 'z', metaKey: true }), RANK)?.command).toBe('undo')
    expect(readStroke(press({ key: 'Z', ctrlKey: true, shiftKey: true }), RANK)?.command).toBe('redo')
  })

  it('need all their modifiers and no other', () => {
    expect(readStroke(press({ key: 'ArrowUp' }), RANK)).toBeNull()
    expect(readStroke(press({ key: 'ArrowUp', altKey: true, ctrlKey: true }), RANK)).toBeNull()
    expect(readStroke(press({ key: 'ArrowUp', altKey: true }), RANK)?.command).toBe('moveUp')
  })

  it('for signs ask for the sign, with whatever the layout needs to make it', () => {
    expect(readStroke(press({ key: '?', code: 'Slash', shiftKey: true }), RANK)?.command).toBe('showShortcuts')
    expect(readStroke(press({ key: '=', code: 'Digit0', shiftKey: true }), RANK)?.command).toBe('tieNext')
    expect(readStroke(press({ key: '=', code: 'Equal' }), RANK)?.command).toBe('tieNext')
  })
})

describe('while somebody types', () => {
  it.each(['<textarea></textarea>', '<input>', '<select></select>', '<div contenteditable="true"></div>'])(
    'keys belong to %s',
    (html) => {
      const field = element(html)

      expect(readStroke(press({ key: '1', code: 'Digit1' }, field), RANK)).toBeNull()
      expect(readStroke(press({ key: 'Backspace' }, field), RANK)).toBeNull()
      expect(readStroke(press({ key: 'Enter' }, field), RANK)).toBeNull()
    },
  )

  it('only the chords made for it are heard', () => {
    const field = element('<textarea></textarea>')

    expect(readStroke(press({ key: 'Enter', ctrlKey: true }, field), WRITE)?.command).toBe('submitAnywhere')
    expect(readStroke(press({ key: 'n', altKey: true }, field), WRITE)?.command).toBe('addTurn')
  })

  it('an input method keeps its keys, Safari\'s last Enter included', () => {
    expect(readStroke(press({ key: '1', code: 'Digit1', isComposing: true }), RANK)).toBeNull()
    expect(readStroke(press({ key: 'Enter', ctrlKey: true, keyCode: 229 }), WRITE)).toBeNull()
  })
})

describe('Enter', () => {
  it('submits', () => {
    expect(readStroke(press({ key: 'Enter' }), RANK)?.command).toBe('submit')
  })

  it.each(['<button>Skip</button>', '<a href="#">Home</a>'])('on %s presses that', (html) => {
    expect(readStroke(press({ key: 'Enter' }, element(html)), RANK)).toBeNull()
  })
})

describe('keyboards of other languages', () => {
  it.each([
    ['Russian letters are told by their place', { key: 'ы', code: 'KeyS' }, 'S'],
    ['a Mac\'s Option writes signs', { key: 'Dead', code: 'KeyN', altKey: true }, 'Alt+N'],
    ['French "?" stands on another letter\'s key', { key: '?', code: 'KeyM', shiftKey: true }, '?'],
    ['French digits need no Shift', { key: 'é', code: 'Digit2' }, '2'],
    ['German "=" stands on a digit\'s key', { key: '=', code: 'Digit0', shiftKey: true }, '='],
    ['a modifier alone is no chord', { key: 'Shift', shiftKey: true }, null],
  ])('%s', (_, init, chord) => {
    expect(chordOf(press(init))).toBe(chord)
  })

  it('write signs with AltGr, which is neither Ctrl nor Alt', () => {
    const altGraph = { modifierAltGraph: true, ctrlKey: true, altKey: true }

    expect(readStroke(press({ key: '€', code: 'KeyE', ...altGraph }), RANK)).toBeNull()
    expect(readStroke(press({ key: '²', code: 'Digit2', ...altGraph }), RANK)).toBeNull()
    expect(readStroke(press({ key: '?', code: 'KeyX', ...altGraph }), RANK)?.command).toBe('showShortcuts')
  })
})

describe('keys of one\'s own', () => {
  const own = { keys: { 'rank.skip': ['Q'], 'rank.reject': ['Shift+Digit'], 'rank.tie': ['Alt+Digit'] }, single_keys: true }

  it('mean their command, and the keys before them nothing', () => {
    expect(readStroke(press({ key: 'q', code: 'KeyQ' }), RANK, own)?.command).toBe('skip')
    expect(readStroke(press({ key: 's', code: 'KeyS' }), RANK, own)).toBeNull()
  })

  it('may move whole rows of digits', () => {
    expect(readStroke(press({ key: '#', code: 'Digit3', shiftKey: true }), RANK, own)).toEqual({ command: 'reject', place: 2 })
    expect(readStroke(press({ key: '3', code: 'Digit3', altKey: true }), RANK, own)).toEqual({ command: 'tie', place: 2 })
  })
})

describe('with single keys switched off', () => {
  it('letters, digits and signs do nothing', () => {
    for (const init of [{ key: '1', code: 'Digit1' }, { key: 's' }, { key: '?' }, { key: 'a' }]) {
      expect(readStroke(press(init), RANK, { keys: {}, single_keys: false })).toBeNull()
    }
  })

  it('chords, Enter and Backspace go on working', () => {
    expect(readStroke(press({ key: 'Enter' }), RANK, { keys: {}, single_keys: false })?.command).toBe('submit')
    expect(readStroke(press({ key: 'Backspace' }), RANK, { keys: {}, single_keys: false })?.command).toBe('undo')
    expect(readStroke(press({ key: '1', code: 'Digit1', altKey: true }), RANK, { keys: {}, single_keys: false })?.command).toBe('reject')
  })
})

describe('the keymap', () => {
  it.each([[RANK], [ADJUDICATE], [WRITE], [REVIEW]])('gives each chord one meaning in %s', (scopes) => {
    const chords = KEYMAP.filter(({ scope }) => scopes.includes(scope)).flatMap((binding) => binding.chords)

    expect(chords).toEqual([...new Set(chords)])
  })

  it('has no command on the letters that name responses', () => {
    expect(KEYMAP.flatMap(({ chords }) => chords).filter((chord) => /^[A-I]$/.test(chord))).toEqual([])
  })

  it('hears nothing in a text field that dictation could press', () => {
    expect(KEYMAP.filter(({ inFields, chords }) => inFields && chords.some(isSingleKey))).toEqual([])
  })
})
