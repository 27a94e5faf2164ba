import { act, fireEvent, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { prefer } from '@/shared/preferences'
import { show } from '@/testing/render'

import { BreakReminder } from './break-reminder'
import { ErrorBoundary, isLoadFailure } from './error-boundary'
import { Today } from './today'
import { UpdateNotice } from './update-notice'

const MINUTE = 60_000

describe('a break', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
  })

  /** Somebody presses a key every minute. */
  function work(minutes: number) {
    for (let minute = 0; minute < minutes; minute++) {
      vi.advanceTimersByTime(MINUTE)
      fireEvent.keyDown(document.body, { key: 'j' })
    }
  }

  const proposed = () => screen.queryByText(/You have worked/)

  it('is proposed after fifty minutes of work, beside the work', () => {
    show(<BreakReminder />)

    work(49)
    expect(proposed()).toBeNull()
    work(1)

    expect(proposed()?.closest('[role]')?.getAttribute('role')).toBe('status')
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  it('can wait ten minutes, or be taken', () => {
    show(<BreakReminder />)

    work(50)
    fireEvent.click(screen.getByRole('button', { name: 'In 10 minutes' }))
    work(9)
    expect(proposed()).toBeNull()
    work(1)
    fireEvent.click(screen.getByRole('button', { name: 'I take a break' }))
    work(49)

    expect(proposed()).toBeNull()
  })

  it('that was taken unasked counts', () => {
    show(<BreakReminder />)

    work(49)
    vi.advanceTimersByTime(6 * MINUTE)
    work(10)

    expect(proposed()).toBeNull()
  })

  it('comes when it is wanted, or never', () => {
    prefer({ break_minutes: 0 })
    show(<BreakReminder />)

    work(200)
    expect(proposed()).toBeNull()
    act(() => prefer({ break_minutes: 30 }))
    work(1)

    expect(proposed()).not.toBeNull()
  })
})

describe('a new version', () => {
  it('is looked for when the window is come back to, at most every five minutes, and never loads itself', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const script = document.head.appendChild(document.createElement('script'))
    script.type = 'module'
    script.setAttribute('src', '/static/app/assets/app-11111111.js')
    const fetched = vi.fn(() => Promise.resolve(new Response('<script type="module" crossorigin src="/static/app/assets/app-22222222.js">')))
    vi.stubGlobal('fetch', fetched)
    show(<UpdateNotice />)

    fireEvent.focus(window)
    expect(fetched).not.toHaveBeenCalled()
    vi.advanceTimersByTime(5 * MINUTE)
    fireEvent.focus(window)
    fireEvent.focus(window)

    expect(await screen.findByText(/A new version is ready/)).toBeTruthy()
    expect(fetched).toHaveBeenCalledTimes(1)
    fireEvent.click(screen.getByRole('button', { name: 'Later' }))
    expect(screen.queryByText(/A new version is ready/)).toBeNull()
    script.remove()
  })
})

describe('a screen that breaks', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))

  function Breaks({ error }: { error: unknown }): never {
    throw error
  }

  it('says so, and can be tried again', async () => {
    function Screen() {
      const [breaks, setBreaks] = useState(true)
      return (
        <>
          <button onClick={() => setBreaks(false)}>Mend it</button>
          <ErrorBoundary>{breaks ? <Breaks error={new Error('oh')} /> : 'All is well.'}</ErrorBoundary>
        </>
      )
    }
    const user = userEvent.setup()
    show(<Screen />)

    expect(screen.getByRole('alert').textContent).toContain('What you wrote is kept')
    await user.click(screen.getByRole('button', { name: 'Mend it' }))
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(screen.getByText('All is well.')).toBeTruthy()
  })

  it('gives the next address another chance', () => {
    const { rerender } = show(<ErrorBoundary at="/rank/1"><Breaks error={new Error('oh')} /></ErrorBoundary>)

    rerender(<ErrorBoundary at="/">Home</ErrorBoundary>)

    expect(screen.getByText('Home')).toBeTruthy()
  })

  it('because a part did not load asks for a reload, and nothing else', () => {
    show(<ErrorBoundary><Breaks error={new TypeError('Failed to fetch dynamically imported module: /x.js')} /></ErrorBoundary>)

    expect(screen.getByRole('alert').textContent).toContain('A part of this page could not be loaded')
    expect(screen.getAllByRole('button').map(({ textContent }) => textContent)).toEqual(['Reload the page'])
  })

  it('names the request that the server failed', () => {
    show(<ErrorBoundary><Breaks error={{ detail: 'The server is busy.', requestId: 'f00d' }} /></ErrorBoundary>)

    expect(screen.getByRole('alert').textContent).toContain('The server is busy.')
    expect(screen.getByRole('alert').textContent).toContain('Request f00d')
  })

  it.each([
    'Failed to fetch dynamically imported module: https://x/y.js',
    'error loading dynamically imported module: https://x/y.js',
    'Importing a module script failed.',
    'Unable to preload CSS for /static/app/assets/rank-screen.css',
  ])('knows what browsers say: %s', (message) => {
    expect(isLoadFailure(message)).toBe(true)
  })
})

describe('today', () => {
  const campaigns = [
    { ranked_today: 20, demonstrated_today: 3 },
    { ranked_today: 0, demonstrated_today: 0 },
  ] as never

  it('counts all that was done', () => {
    show(<Today campaigns={campaigns} />)

    expect(document.body.textContent).toContain('23 today')
    expect(screen.queryByRole('progressbar')).toBeNull()
  })

  it('is measured by one\'s own goal', () => {
    prefer({ daily_goal: 80 })
    show(<Today campaigns={campaigns} />)

    expect(document.body.textContent).toContain('23 of 80 today')
    expect(screen.getByRole<HTMLProgressElement>('progressbar').value).toBe(23)
  })
})
