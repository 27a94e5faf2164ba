// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { asInField, chosenIn, type Passage, quoteOf, stretchesOf } from './passages'

const someText = fc
  .array(fc.constantFrom('Salt', ' ', '\n', '\r\n', '\r', '盐', '🧂', '👩‍🍳', 'é', 'e\u0301', '\u202e', '.'), { minLength: 1, maxLength: 25 })
  .map((parts) => parts.join(''))

/** A text, and what somebody chose of it in the field that shows it. */
const someChoice = someText.chain((text) => {
  const unit = fc.nat(asInField(text).length)
  return fc.record({ text: fc.constant(text), ends: fc.tuple(unit, unit) })
})

describe('what is chosen in the field', () => {
  it('is the same words of the stored text, whatever ends its lines and however wide its characters are', () => {
    fc.assert(
      fc.property(someChoice, ({ text, ends }) => {
        const [from, to] = [Math.min(...ends), Math.max(...ends)]
        const chosen = asInField(text).slice(from, to).trim()

        const passage = chosenIn(text, from, to)

        if (chosen === '') expect(passage).toBeNull()
        // Half a character, which no person can choose, is taken whole.
        else if (!/\p{Surrogate}/u.test(chosen)) expect(asInField(quoteOf(text, passage!))).toBe(chosen)
        else expect(asInField(quoteOf(text, passage!))).toContain(chosen.replaceAll(/\p{Surrogate}/gu, ''))
      }),
    )
  })

  it('is inside of the text, as the server counts it', () => {
    fc.assert(
      fc.property(someChoice, ({ text, ends }) => {
        const passage = chosenIn(text, Math.min(...ends), Math.max(...ends))

        fc.pre(passage !== null)
        expect(passage!.start).toBeGreaterThanOrEqual(0)
        expect(passage!.start).toBeLessThan(passage!.end)
        expect(passage!.end).toBeLessThanOrEqual([...text].length)
      }),
    )
  })

  it('counts code points', () => {
    expect(chosenIn('🧂 Salt\r\nit.', 3, 7)).toEqual({ start: 2, end: 6 })
    expect(chosenIn('🧂 Salt\r\nit.', 8, 11)).toEqual({ start: 8, end: 11 })
  })
})

describe('the stretches of a text', () => {
  const passages = fc.array(fc.record({ start: fc.nat(9), end: fc.integer({ min: 10, max: 20 }), flag: fc.constant('opinion' as const) }), { maxLength: 4 })

  it('are the whole text, and say of each character what it is marked with', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 20, maxLength: 30 }), passages, (text, marked: Passage[]) => {
        const stretches = stretchesOf(text, marked)

        expect(stretches.map((one) => one.text).join('')).toBe(text)
        const flags = stretches.flatMap((one) => [...one.text].map(() => one.flags.length))
        expect(flags).toEqual([...text].map((_, at) => marked.filter(({ start, end }) => start <= at && at < end).length))
      }),
    )
  })
})
