import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleReview } from '@/testing/samples'

import ReviewHome from './review-home'
import ReviewScreen from './review-screen'

const ROSA = { id: 8, username: 'rosa', display_name: 'Rosa', role: 'reviewer' as const }

function open(element = <ReviewScreen campaign={1} name="Kitchen" person={ROSA} />) {
  show(<QueryClientProvider client={new QueryClient()}>{element}</QueryClientProvider>)
  return userEvent.setup()
}

const text = (id: number) => screen.findByText(new RegExp(`Answer ${id}:`))

describe('the review screen', () => {
  it('shows one after the other until nothing waits', async () => {
    const answers = [sampleReview(2), null]
    answerWith(({ path }) =>
      path.endsWith('/review')
        ? { status: 201, body: { review_id: 1, next: answers.shift() } }
        : { body: { demonstration: sampleReview(1) } },
    )
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
    const all = answerWith(() => ({ body: { demonstration: sampleReview(id++) } }))
    open()
    await text(1)

    await vi.advanceTimersByTimeAsync(61_000)

    await waitFor(() => expect(all).toHaveLength(2))
    expect(await text(1)).toBeTruthy()
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
