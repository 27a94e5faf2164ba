import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { joined } from './joining'

describe('curves side by side', () => {
  it('share their steps and keep every value', () => {
    expect(joined([[[1, 3], [0.5, 0.25]], [[2, 3], [7, 8]]])).toEqual([[1, 2, 3], [0.5, null, 0.25], [null, 7, 8]])
    expect(joined([])).toEqual([[]])
  })

  it('are what they were, whatever stands beside them', () => {
    const curve = fc.uniqueArray(fc.nat(50)).chain((steps) =>
      fc.array(fc.double({ noNaN: true }), { minLength: steps.length, maxLength: steps.length })
        .map((values): [number[], number[]] => [[...steps].sort((one, other) => one - other), values]))
    fc.assert(fc.property(fc.array(curve), (curves) => {
      const [steps, ...columns] = joined(curves)

      curves.forEach(([own, values], place) => {
        const back = steps.flatMap((step, at) => (columns[place]![at] === null ? [] : [[step, columns[place]![at]]]))
        expect(back).toEqual(own.map((step, at) => [step, values[at]]))
      })
    }))
  })
})
