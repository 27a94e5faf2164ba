// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { pauseBefore, Series } from './run-live'

describe('a series', () => {
  it('has its points in the order of their steps, however they came', () => {
    const someSteps = fc.uniqueArray(fc.nat(1000), { minLength: 1 })
    fc.assert(
      fc.property(someSteps, (steps) => {
        const series = new Series()
        for (const step of steps) series.add([{ step, loss: step / 10 }])

        const inOrder = [...steps].sort((a, b) => a - b)
        expect(series.points('loss')).toEqual([inOrder, inOrder.map((step) => step / 10)])
      }),
    )
  })

  it('says of a step what was said last, and keeps what was not said again', () => {
    const series = new Series()

    series.add([{ step: 1, loss: 0.9, accuracy: 0.5 }])
    series.add([{ step: 1, loss: 0.7 }])

    expect(series.points('loss')).toEqual([[1], [0.7]])
    expect(series.points('accuracy')).toEqual([[1], [0.5]])
  })

  it('starts over with a new attempt', () => {
    const series = new Series()

    series.add([{ step: 1, loss: 0.9 }, { step: 2, loss: 0.8 }], 1)
    series.add([{ step: 1, loss: 0.7 }], 2)

    expect(series.points('loss')).toEqual([[1], [0.7]])
  })

  it('leaves out steps at which a metric was not measured or is no number', () => {
    const series = new Series()

    series.add([{ step: 1, loss: 1 }, { step: 2 }, { step: 3, loss: null }, { step: 4, loss: Number.NaN }, { step: 5, loss: 0 }])

    expect(series.points('loss')).toEqual([[1, 5], [1, 0]])
  })

  it('names its metrics in order, and no bookkeeping', () => {
    const series = new Series()

    series.add([{ step: 1, steps: 9, at: 17, attempt: 2, ref_kl: 0, loss: 1, note: 'words' }])

    expect(series.names()).toEqual(['loss', 'ref_kl'])
  })

  it('tells whether there was news', () => {
    const series = new Series()

    expect(series.add([])).toBe(false)
    expect(series.add([{ step: 1, loss: 1 }])).toBe(true)
  })
})

describe('the pause before the next look', () => {
  it('is short while somebody looks and longer while nobody does', () => {
    expect(pauseBefore(false, 0)).toBeLessThanOrEqual(3000)
    expect(pauseBefore(true, 0)).toBeGreaterThan(pauseBefore(false, 0))
  })

  it('grows with every failure and never beyond a minute', () => {
    for (const isHidden of [false, true]) {
      const pauses = Array.from({ length: 12 }, (_, failures) => pauseBefore(isHidden, failures))

      expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
      expect(pauses[1]).toBeGreaterThan(pauses[0]!)
      expect(pauses.at(-1)).toBe(60_000)
    }
  })
})
