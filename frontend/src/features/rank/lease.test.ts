// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { clockOf, dueOf } from './lease'

const MINUTE = 60_000
const quiet = { length: 45 * MINUTE, left: 45 * MINUTE, sinceBeat: 0, isActive: false, isVisible: true }

describe('a lease', () => {
  it('is renewed every minute while somebody works', () => {
    expect(dueOf({ ...quiet, isActive: true, sinceBeat: 59_000 })).toBeNull()
    expect(dueOf({ ...quiet, isActive: true, sinceBeat: 60_000 })).toBe('beat')
  })

  it('is not renewed by a page that nobody looks at or touches', () => {
    expect(dueOf({ ...quiet, isActive: true, isVisible: false, sinceBeat: 9 * MINUTE })).toBeNull()
    expect(dueOf({ ...quiet, sinceBeat: 39 * MINUTE, left: 6 * MINUTE })).toBeNull()
  })

  it('warns in its last five minutes, and any sign of life renews it at once', () => {
    expect(dueOf({ ...quiet, left: 5 * MINUTE })).toBe('warn')
    expect(dueOf({ ...quiet, left: 5 * MINUTE, isActive: true, sinceBeat: 1000 })).toBe('beat')
  })

  it('of a minute is renewed in time all the same', () => {
    const short = { ...quiet, length: MINUTE, left: 41_000 }

    expect(dueOf({ ...short, isActive: true, sinceBeat: 20_000 })).toBe('beat')
    expect(dueOf({ ...short, sinceBeat: 19_000 })).toBeNull()
    expect(dueOf({ ...short, left: 19_000 })).toBe('warn')
  })

  it('never warns who works, and never says anything to nobody', () => {
    const time = fc.double({ min: -1e7, max: 1e7, noNaN: true })
    fc.assert(
      fc.property(time, time, time, fc.boolean(), fc.boolean(), (length, left, sinceBeat, isActive, isVisible) => {
        const due = dueOf({ length, left, sinceBeat, isActive, isVisible })

        if (isActive) expect(due).not.toBe('warn')
        if (!isVisible) expect(due).toBeNull()
      }),
    )
  })

  it.each([[245_000, '4:05'], [60_000, '1:00'], [200, '0:01'], [0, '0:00'], [-9000, '0:00']])('counts down: %i is %s', (left, shown) => {
    expect(clockOf(left)).toBe(shown)
  })
})
