// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { findIn, type Found } from './find'

const text = fc.string({ unit: fc.constantFrom('a', 'B', 'ß', 'İ', '汤', ' ', '𝄞'), maxLength: 30 })

function between(pieces: readonly string[], { from, to }: Found): string {
  return pieces
    .map((piece, place) => {
      if (place < from.piece || place > to.piece) return ''
      return piece.slice(place === from.piece ? from.offset : 0, place === to.piece ? to.offset : undefined)
    })
    .join('')
}

describe('finding', () => {
  it('finds across pieces, whatever the capitals', () => {
    const pieces = ['Prefer the ans', 'wer that ', 'helps. ANSWER all.']

    const found = findIn(pieces, 'answer')

    expect(found.map((one) => between(pieces, one))).toEqual(['answer', 'ANSWER'])
    expect(found[0]).toEqual({ from: { piece: 0, offset: 11 }, to: { piece: 1, offset: 3 } })
  })

  it('finds what was cut out of the text, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), text, (pieces, wanted) => {
        const found = findIn(pieces, wanted)

        for (const one of found) {
          expect(between(pieces, one)).toHaveLength(wanted.trim().length)
          expect(between(pieces, one).toLowerCase()).toBe(wanted.trim().toLowerCase())
        }
        if (wanted.trim() !== '') expect(found.length > 0).toBe(pieces.join('').toLowerCase().includes(wanted.trim().toLowerCase()))
      }),
    )
  })

  it('finds nothing where nothing is asked for', () => {
    expect(findIn(['a b'], ' ')).toEqual([])
  })
})
