import { act, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { TourGate } from '@/features/tour/tour-gate'
import { adoptPreferences, leavePreferences, type PreferenceChanges } from '@/shared/preferences'
import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'

import Example from './example'

function enter(id: number, kept: PreferenceChanges = {}) {
  const send = vi.fn(() => Promise.resolve())
  adoptPreferences(id, kept, send)
  const asked = answerWith(() => ({ body: {} }))
  const person = { id, username: 'ada', display_name: 'Ada', role: 'labeler' as const, preferences: {} }
  const shown = show(
    <TourGate tour={(onDone) => <Example person={person} onDone={onDone} />}><p>The work</p></TourGate>,
  )
  return { asked, send, shown, user: userEvent.setup() }
}

afterEach(leavePreferences)

const step = () => screen.getByRole('region', { name: /^Tour/ }).getAttribute('aria-label')

describe('the tour', () => {
  it('goes by keyboard through four steps, tries the keys, and stores nothing', async () => {
    const { user, asked, send } = enter(1)
    expect(document.activeElement?.textContent).toBe('The key places a response at the next rank')

    await user.keyboard('1')
    expect(screen.getByText('2 left')).toBeTruthy()
    const steps = [step()]
    for (let turn = 0; turn < 3; turn += 1) {
      while (document.activeElement?.textContent !== 'Next') await user.tab()
      await user.keyboard('{Enter}')
      expect(document.activeElement?.tagName).toBe('H2')
      steps.push(step())
    }
    expect(steps).toEqual([1, 2, 3, 4].map((place) => `Tour, step ${place} of 4`))

    await user.click(screen.getByRole('button', { name: 'Start ranking' }))
    expect(screen.getByText('The work')).toBeTruthy()
    expect(asked).toEqual([])
    expect(send.mock.calls).toEqual([[{ tour_seen: true }]])
  })

  it('can be skipped, and never comes again on any device', async () => {
    const { user, shown } = enter(2)

    await user.click(screen.getByRole('button', { name: 'Skip the tour' }))
    shown.unmount()
    localStorage.clear()
    enter(2, { tour_seen: true })

    expect(screen.getByText('The work')).toBeTruthy()
    expect(screen.queryByRole('region', { name: /^Tour/ })).toBeNull()
  })

  it('takes a submitted example for a step, and the last one for the end', async () => {
    const { user } = enter(3)

    await user.keyboard('12{Enter}')
    expect(step()).toBe('Tour, step 4 of 4')
    await user.keyboard('{Enter}')

    expect(screen.getByText('The work')).toBeTruthy()
  })

  it('comes for each person', async () => {
    const { user, shown } = enter(4)
    await user.click(screen.getByRole('button', { name: 'Skip the tour' }))
    act(() => shown.unmount())

    enter(5)

    expect(step()).toBe('Tour, step 1 of 4')
  })
})
