import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { type Asked, answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleReview } from '@/testing/samples'

import ReviewHome from './review-home'
import ReviewScreen from './review-screen'

const ROSA = { id: 8, username: 'rosa', display_name: 'Rosa', role: 'reviewer' as const, preferences: {} }

function open(element = <ReviewScreen campaign={1} name="Kitchen" person={ROSA} />) {
  show(<QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>{element}</QueryClientProvider>)
  return userEvent.setup()
}

const claimsIn = (all: Asked[]) => () => all.filter(({ path }) => path.endsWith('/reviews')).length
const text = (id: number) => screen.findByText(new RegExp(`Answer ${id}:`))

describe('the review screen', () => {
  it('shows one after the other until nothing waits', async () => {
    const answers = [sampleReview(2), null]
    answerWith(({ path }) => {
      if (path.endsWith('/guideline')) return { status: 404 }
      if (path.endsWith('/review')) return { status: 201, body: { review_id: 1, next: answers.shift() } }
      return { body: { demonstration: sampleReview(1) } }
    })
    const user = open()
    await text(1)

    await user.keyboard('y')
    await text(2)
    await user.keyboard('y')

    expect(await screen.findByRole('heading', { name: 'All reviewed' })).toBeTruthy()
    expect(document.title).toBe('Review · Kitchen · Rankwright')
  })

  it('says now and then that somebody still looks at it, and keeps what is on screen', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    let id = 1
    const claims = claimsIn(answerWith(({ path }) => (path.endsWith('/reviews') ? { body: { demonstration: sampleReview(id) } } : { status: 404 })))
    open()
    await text(1)

    await vi.advanceTimersByTimeAsync(61_000)
    await waitFor(() => expect(claims()).toBe(2))
    expect(screen.queryByRole('alert')).toBeNull()
    id = 2
    await vi.advanceTimersByTimeAsync(61_000)

    // It went to somebody else: that is said before any work is lost on it.
    expect((await screen.findByRole('alert')).textContent).toContain('It is no longer yours')
    expect(await text(1)).toBeTruthy()
  })

  it('has the guideline beside the work, and says under which one it was written', async () => {
    answerWith(({ path }) =>
      path.endsWith('/guideline')
        ? { body: { version: 2, text: 'Be **kind**.', published_at: '2026-11-24T12:00:00Z' } }
        : { body: { demonstration: sampleReview(1) } },
    )
    open()

    const beside = await screen.findByRole('complementary', { name: 'Guideline' })
    expect(beside.textContent).toContain('Written under version 1.')
    expect(beside.querySelector('strong')!.textContent).toBe('kind')
  })

  it.each([
    ['nobody who may see it', { status: 403, body: { code: 'permission_denied', detail: 'You may not.' } }, /You may not/, false],
    ['a server in trouble', { status: 500, body: { code: 'error', detail: 'Something broke.' } }, /Something broke/, true],
  ])('tells %s so', async (_, answer, words, canRetry) => {
    answerWith(() => answer)
    open()

    expect(await screen.findByText(words)).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Try again' }) !== null).toBe(canRetry)
  })
})

describe('the home of reviews', () => {
  it('counts what waits and leads to it', async () => {
    const campaign = { id: 4, name: 'Kitchen', description: '', demonstrations_waiting: 1, adjudications_waiting: 0, reviewed_today: 2, adjudicated_today: 0 }
    answerWith(() => ({ body: [campaign] }))

    open(<ReviewHome />)

    expect(await screen.findByText('1 demonstration to review')).toBeTruthy()
    expect(screen.getByText('No disagreements waiting')).toBeTruthy()
    expect(screen.getByText('2 done today')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Review – Kitchen' }).getAttribute('href')).toBe('/review/4')
    expect(screen.getByRole('link', { name: 'Adjudicate – Kitchen' }).getAttribute('href')).toBe('/adjudicate/4')
  })
})
