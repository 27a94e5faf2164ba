import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { bindingsWith, nameOf } from '@/shared/bindings'
import { areHeardTogether, type Command, KEYMAP } from '@/shared/keymap'

import { chordFor, refusalOf, refusalOfReset, withChord, withoutOwn } from './remap'

const of = (command: Command) => KEYMAP.find((binding) => binding.command === command)!

describe('a command', () => {
  it('takes a chord that is free', () => {
    expect(refusalOf(of('skip'), 'Z', {})).toBeNull()
    expect(withChord({}, of('skip'), 'Z')).toEqual({ 'rank.skip': ['Z'] })
  })

  it('is refused the chord of another that is heard at the same time, which is named', () => {
    expect(refusalOf(of('skip'), 'U', {})).toEqual({ because: 'taken', by: of('cannotJudge') })
    expect(refusalOf(of('skip'), '?', {})).toEqual({ because: 'taken', by: of('showShortcuts') })
    expect(refusalOf(of('skip'), 'Q', {})).toEqual({ because: 'taken', by: of('showOrders') })
    expect(refusalOf(of('showGuideline'), 'S', {})).toEqual({ because: 'taken', by: of('skip') })
  })

  it('may share a chord with one that is never heard beside it', () => {
    expect(refusalOf(of('skip'), 'Y', {})).toBeNull()
  })

  it('is refused the letters and digits that name answers', () => {
    expect(refusalOf(of('skip'), 'B', {})).toEqual({ because: 'taken', by: of('place') })
    expect(refusalOf(of('skip'), 'Alt+3', {})).toEqual({ because: 'taken', by: of('reject') })
    expect(refusalOf(of('accept'), 'B', {})).toBeNull()
  })

  it('takes a chord that its owner gave away', () => {
    const keys = withChord({}, of('cannotJudge'), 'Q')

    expect(refusalOf(of('skip'), 'U', keys)).toBeNull()
    expect(refusalOfReset(of('cannotJudge'), withChord(keys, of('skip'), 'U'))?.because).toBe('taken')
  })

  it('for answers takes whole rows of keys, and nothing else', () => {
    expect(chordFor(of('reject'), 'Mod+Shift+3')).toBe('Mod+Shift+Digit')
    expect(chordFor(of('reject'), 'Alt+C')).toBe('Alt+Letter')
    expect(refusalOf(of('reject'), chordFor(of('reject'), 'Q'), {})).toEqual({ because: 'needsPlace' })
    expect(refusalOf(of('reject'), chordFor(of('reject'), 'Shift+3'), {})).toEqual({ because: 'taken', by: of('tie') })
  })

  it('that is heard in text fields needs a modifier', () => {
    expect(refusalOf(of('addTurn'), 'Q', {})).toEqual({ because: 'needsModifier' })
    expect(refusalOf(of('addTurn'), 'Alt+Q', {})).toBeNull()
  })

  it.each(['Tab', 'Escape', ' ', 'Mod+W', 'Mod+T', 'Mod+C', 'Mod+R', 'F5', 'Alt+ArrowLeft', 'Mod+3'])(
    'never takes %s from the browser',
    (chord) => {
      expect(refusalOf(of('skip'), chord, {})).toEqual({ because: 'reserved' })
    },
  )

  it('given its own keys back has none of its own', () => {
    const keys = withChord({}, of('skip'), 'Q')

    expect(withChord(keys, of('skip'), 'S')).toEqual({})
    expect(withoutOwn(keys, of('skip'))).toEqual({})
  })
})

describe('whatever somebody presses', () => {
  const press = fc.record({
    binding: fc.constantFrom(...KEYMAP),
    pressed: fc.constantFrom(...'ABJKQSUXZ159=?'.split(''), 'Enter', 'Alt+1', 'Alt+Q', 'Mod+Enter', 'Mod+Z', 'Shift+2', 'Mod+Shift+P'),
  })

  it('no chord ever means two commands at once', () => {
    fc.assert(
      fc.property(fc.array(press, { maxLength: 30 }), (presses) => {
        let keys = {}
        for (const { binding, pressed } of presses) {
          const chord = chordFor(binding, pressed)
          if (!refusalOf(binding, chord, keys)) keys = withChord(keys, binding, chord)
        }

        const bindings = bindingsWith(keys)
        for (const one of bindings) {
          for (const other of bindings) {
            if (nameOf(one) === nameOf(other) || !areHeardTogether(one.scope, other.scope)) continue
            expect(one.chords.filter((chord) => other.chords.includes(chord))).toEqual([])
          }
        }
      }),
    )
  })
})
