import { act, renderHook } from '@testing-library/react'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { useVisibleSeconds, VisibleTime } from './visible-time'

const someTenths = fc.nat(100).map((tenths) => tenths * 100)

describe('visible time', () => {
  it('is the sum of the spans in front of somebody', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(someTenths, someTenths), { maxLength: 20 }), (spans) => {
        const time = new VisibleTime()
        let now = 0
        for (const [seen, unseen] of spans) {
          time.show(now)
          time.hide((now += seen))
          now += unseen
        }

        const sum = spans.reduce((total, [seen]) => total + seen, 0)
        expect(time.seconds(now)).toBe(sum / 1000)
      }),
    )
  })

  it('goes on from what was spent before', () => {
    const time = new VisibleTime(12.5)

    time.show(1000)

    expect(time.seconds(3000)).toBe(14.5)
  })

  it('counts a span once, however often it is told', () => {
    const time = new VisibleTime()

    time.show(0)
    time.show(900)
    time.hide(1000)
    time.hide(5000)

    expect(time.seconds(9000)).toBe(1)
  })

  it('never runs backwards', () => {
    const time = new VisibleTime(1)

    time.show(5000)

    expect(time.seconds(4000)).toBe(1)
  })
})

describe('the seconds of a component', () => {
  afterEach(() => vi.restoreAllMocks())

  function look(state: DocumentVisibilityState) {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state)
    act(() => document.dispatchEvent(new Event('visibilitychange')))
  }

  it('stand still while another tab is in front', () => {
    vi.useFakeTimers()
    const { result } = renderHook(() => useVisibleSeconds(10))
    look('visible')

    vi.advanceTimersByTime(2000)
    look('hidden')
    vi.advanceTimersByTime(60_000)
    look('visible')
    vi.advanceTimersByTime(500)

    expect(result.current()).toBe(12.5)
  })
})
