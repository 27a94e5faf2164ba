import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { outboxOf } from '@/components/outbox'
import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleDemonstration } from '@/testing/samples'

import DemonstrateScreen from './demonstrate-screen'

const ADA = { id: 7, username: 'ada', display_name: 'Ada', role: 'labeler' as const, preferences: {} }

type Answer = { status?: number; body?: unknown }

/** The screen in front of a server that answers like this when asked for work. */
function open(claim: () => Answer, isActive = true) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const all = answerWith(({ path }) => (path === '/api/campaigns' ? { body: [{ id: 1, is_active: isActive }] } : claim()))
  show(<QueryClientProvider client={queries}><DemonstrateScreen campaign={1} name="Kitchen" person={ADA} /></QueryClientProvider>)
  return { all, queries, user: userEvent.setup() }
}

describe('the screen for demonstrations', () => {
  it('says that it loads, then shows the prompt', async () => {
    open(() => ({ body: { demonstration: sampleDemonstration(1) } }))

    expect(screen.getByText('Loading…').getAttribute('aria-busy')).toBe('true')
    expect(await screen.findByText(/why is my soup flat/)).toBeTruthy()
    expect(document.title).toBe('Demonstrate · Kitchen · Rankwright')
  })

  it('says that nothing waits', async () => {
    open(() => ({ body: { demonstration: null } }))

    expect(await screen.findByRole('heading', { name: 'All written' })).toBeTruthy()
  })

  it('tells a paused campaign from one where all is written', async () => {
    open(() => ({ body: { demonstration: null } }), false)

    expect(await screen.findByRole('heading', { name: 'This campaign is paused' })).toBeTruthy()
  })

  it('tells who gets no more work why', async () => {
    open(() => ({ status: 409, body: { code: 'paused', detail: 'Somebody will look at it.' } }))

    expect(await screen.findByText('Somebody will look at it.')).toBeTruthy()
  })

  it.each([
    [403, 'permission_denied', 'You may not.'],
    [404, 'not_found', 'There is no such campaign.'],
  ])('offers no second try where %i says no', async (status, code, detail) => {
    open(() => ({ status, body: { code, detail } }))

    expect(await screen.findByRole('heading', { name: 'This is not open to you' })).toBeTruthy()
    expect(screen.getByText(detail)).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
  })

  it.each([
    ['no network', () => { throw new TypeError('Failed to fetch') }, 'cannot be reached'],
    ['a server in trouble', () => ({ status: 500, body: { code: 'error', detail: 'Something broke.' } }), 'Something broke.'],
  ])('tries again after %s', async (_, failure, words) => {
    let isWell = false
    const { user } = open(() => (isWell ? { body: { demonstration: sampleDemonstration(1) } } : failure()))

    expect((await screen.findByRole('alert')).textContent).toContain(words)
    isWell = true
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await screen.findByText(/why is my soup flat/)).toBeTruthy()
  })

  it('keeps what is handed in when the session has ended, and sends it when there is one again', async () => {
    let isSignedIn = true
    const { all, user } = open(() =>
      isSignedIn ? { body: { demonstration: sampleDemonstration(1), next: null } } : { status: 403, body: { code: 'not_authenticated', detail: 'Sign in.' } },
    )
    await user.type(await screen.findByLabelText(/^Turn 1/), 'Salt.')
    isSignedIn = false
    await user.keyboard('{Control>}{Enter}{/Control}')
    await waitFor(() => expect(all.at(-1)!.path).toMatch(/submission$/))
    expect(JSON.stringify(outboxOf(ADA.id).snapshot().items)).toContain('Salt.')

    isSignedIn = true
    outboxOf(ADA.id).hurry()

    await waitFor(() => expect(outboxOf(ADA.id).snapshot().items).toEqual([]))
  })
})
