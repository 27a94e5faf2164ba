import { describe, expect, it } from 'vitest'

import { REST_MS, touch } from './active-time'

const MINUTE = 60_000
const fresh = { worked: 0, last: 0 }

/** Worked time after doing something at each of these minutes. */
const after = (...minutes: number[]) =>
  minutes.reduce((active, minute) => touch(active, minute * MINUTE), fresh).worked / MINUTE

describe('time at work', () => {
  it('goes on while somebody reads', () => {
    expect(after(1, 4, 8)).toBe(8)
  })

  it('begins again after a rest', () => {
    expect(after(1, 4, 4 + REST_MS / MINUTE)).toBe(0)
    expect(after(1, 30, 32)).toBe(2)
  })

  it('never shrinks because a clock was set back', () => {
    expect(touch({ worked: MINUTE, last: 10 * MINUTE }, 5 * MINUTE).worked).toBe(MINUTE)
  })
})
