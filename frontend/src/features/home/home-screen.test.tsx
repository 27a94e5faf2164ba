import { cleanup, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { ApiError, type Campaign, type Person, type Progress } from '@/api'
import { answerWith } from '@/testing/network'
import { showAt } from '@/testing/query'
import { sampleCampaign, sampleProgress } from '@/testing/samples'

import { HomeScreen } from './home-screen'

const ADA = { id: 7, username: 'ada', display_name: 'Ada', role: 'labeler' as const, preferences: {} }

const RETURNED = {
  id: 31,
  verdict: 'RETURNED' as const,
  reason: 'Say how much salt.',
  reviewed_at: '2026-11-24T12:00:00Z',
  read_at: null,
  demonstration: 5,
  status: 'RETURNED' as const,
  campaign: 1,
  campaign_name: 'Kitchen',
  excerpt: 'Why is my soup flat?',
}

const REVIEWS = [{ id: 1, name: 'Kitchen', description: '', demonstrations_waiting: 2, adjudications_waiting: 1, reviewed_today: 0, adjudicated_today: 0 }]

function open(campaigns: Campaign[] | undefined, progress: Partial<Progress> = {}, error: Error | null = null, person: Person = ADA) {
  const asked = answerWith(({ path }) => {
    if (path.endsWith('/reviews')) return { body: REVIEWS }
    return { body: path.endsWith('/progress') ? sampleProgress(progress) : { unread: 0 } }
  })
  showAt('/', <HomeScreen person={person} campaigns={campaigns} error={error} onRetry={() => Promise.resolve()} />)
  return asked
}

describe('home', () => {
  it('has one way to go on, and says what waits and what is new in each campaign', async () => {
    open([sampleCampaign(1, { rankings_waiting: 3, guideline_version: 3 })])

    expect((await screen.findByRole('link', { name: 'Continue' })).getAttribute('href')).toBe('/rank/1')
    expect(screen.getByText('3 rankings waiting')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Guideline changed: version 3 – Campaign 1' }).getAttribute('href')).toBe('/guidelines/1')
  })

  it('tells reviewers what waits to be reviewed, and labelers nothing of it', async () => {
    open([sampleCampaign(1)], {}, null, { ...ADA, role: 'reviewer' })

    expect((await screen.findByRole('link', { name: 'Review' })).getAttribute('href')).toBe('/review')
    expect(screen.getByText('2 demonstrations to review')).toBeTruthy()
    cleanup()
    const asked = open([sampleCampaign(1)])
    await screen.findByRole('heading', { name: 'Nothing done yet today' })
    expect(asked.some(({ path }) => path.endsWith('/reviews'))).toBe(false)
  })

  it('tells today against the own goal, and the own pace', async () => {
    const days = sampleProgress().days.map((day, place) => ({ ...day, rankings: place === 6 ? 9 : place }))
    open([sampleCampaign(1)], { days, daily_goal: 12, ranking_seconds: 41.6, demonstration_seconds: 180 })

    expect(await screen.findByRole('heading', { name: '9 of 12 today' })).toBeTruthy()
    expect(screen.getByRole('progressbar').getAttribute('value')).toBe('9')
    expect(screen.getByText(/^42 sec for a ranking/)).toBeTruthy()
    expect(screen.getByText(/^3 min for a demonstration/)).toBeTruthy()
    const week = within(screen.getByRole('list', { name: 'The last seven days' })).getAllByRole('listitem')
    expect(week.map((day) => day.textContent)).toEqual(['0Wed', '1Thu', '2Fri', '3Sat', '4Sun', '5Mon', '9Tue'])
  })

  it('has no goal unless somebody gave themselves one', async () => {
    open([sampleCampaign(1)])

    expect(await screen.findByRole('heading', { name: 'Nothing done yet today' })).toBeTruthy()
    expect(screen.queryByRole('progressbar')).toBeNull()
  })

  it('leads back to what was begun', async () => {
    const begun = { kind: 'ranking' as const, campaign: 2, campaign_name: 'Garden', excerpt: 'When to sow?', saved_at: null }
    open([sampleCampaign(1, { rankings_waiting: 3 })], { unfinished: [begun] })

    expect(await screen.findByText('You began a ranking in Garden')).toBeTruthy()
    expect(screen.getByText('When to sow?')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Continue' }).getAttribute('href')).toBe('/rank/2')
  })

  it('shows what reviewers said until it is read', async () => {
    const asked = open([sampleCampaign(1)], { feedback: [RETURNED], feedback_unread: 1 })

    expect(await screen.findByText('Say how much salt.')).toBeTruthy()
    const link = screen.getByRole('link', { name: 'Open Why is my soup flat?' })
    expect(link.getAttribute('href')).toBe('/history/demonstrations/5')
    await userEvent.click(screen.getByRole('button', { name: 'Mark as read' }))

    await waitFor(() => expect(asked.filter(({ path }) => path.endsWith('/progress'))).toHaveLength(2))
    expect(asked.find(({ path }) => path.endsWith('/feedback/read'))?.body).toEqual({ reviews: [31] })
  })

  it('leads to the editor what its author took back', async () => {
    open([sampleCampaign(1)], { feedback: [{ ...RETURNED, status: 'DRAFT' }], feedback_unread: 1 })

    expect((await screen.findByRole('link', { name: /^Open/ })).getAttribute('href')).toBe('/demonstrate/1')
  })

  it('says why nothing waits', async () => {
    open([sampleCampaign(1, { obstacle: 'OTHER_LANGUAGES' })])

    expect(await screen.findByRole('heading', { name: 'Nothing waits for you now' })).toBeTruthy()
    expect(screen.getByText(/in languages that you are not asked for/)).toBeTruthy()
  })

  it('says that there is no campaign', async () => {
    open([])

    expect(await screen.findByText(/No campaign has work/)).toBeTruthy()
  })

  it('keeps what it knows when the server is away, and says so', async () => {
    const away = new ApiError({ status: 0, code: 'unreachable', detail: '' })
    open([sampleCampaign(1, { rankings_waiting: 3 })], {}, away)

    expect((await screen.findByRole('alert')).textContent).toContain('may have changed')
    expect(screen.getByRole('link', { name: 'Continue' })).toBeTruthy()
  })
})
