import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { answerWith } from '@/testing/network'
import { showAt } from '@/testing/query'
import { sampleCampaign, sampleEntry } from '@/testing/samples'

import HistoryScreen from './history-screen'

const LATER = '2999-01-01T00:00:00Z'

function open(answer: (search: URLSearchParams) => unknown, path = '/history') {
  const searches: string[] = []
  answerWith(() => ({}))
  vi.stubGlobal('fetch', (request: Request) => {
    const { searchParams, pathname } = new URL(request.url)
    if (pathname.endsWith('/skipped')) return Promise.resolve(Response.json([]))
    searches.push(searchParams.toString())
    return Promise.resolve(Response.json(answer(searchParams)))
  })
  showAt(path, <HistoryScreen campaigns={[sampleCampaign(1)]} />)
  return searches
}

describe('the history', () => {
  it('tells an order with the letters that were shown', async () => {
    open(() => ({ entries: [sampleEntry('a')], next: null }))

    expect(await screen.findByText('B > A = D · unacceptable: C')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Question a' }).getAttribute('href')).toBe('/history/rankings/a')
    expect(screen.queryByRole('link', { name: 'Correct' })).toBeNull()
  })

  it('offers a correction while there is time', async () => {
    open(() => ({ entries: [sampleEntry('a', { correctable_until: LATER }), sampleEntry('b', { correctable_until: '2020-01-01T00:00:00Z' })], next: null }))

    const links = await screen.findAllByRole('link', { name: 'Correct' })

    expect(links.map((link) => link.getAttribute('href'))).toEqual(['/history/rankings/a/correct'])
  })

  it('takes the correction away when its time is over', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const soon = new Date(Date.now() + 60_000).toISOString()
    open(() => ({ entries: [sampleEntry('a', { correctable_until: soon })], next: null }))
    expect(await screen.findByRole('link', { name: 'Correct' })).toBeTruthy()

    await act(() => vi.advanceTimersByTimeAsync(61_000))

    expect(screen.queryByRole('link', { name: 'Correct' })).toBeNull()
  })

  it('shows why something was returned, and leads to its editor', async () => {
    const said = { id: 1, verdict: 'RETURNED' as const, reason: 'Say how much.', reviewed_at: LATER, read_at: null }
    open(() => ({ entries: [sampleEntry('5', { kind: 'demonstration', standing: 'RETURNED', feedback: [said] })], next: null }))

    expect(await screen.findByText('Say how much.')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Revise' }).getAttribute('href')).toBe('/demonstrate/1')
    expect(screen.queryByText(/unacceptable/)).toBeNull()
  })

  it('goes on where the page before ended', async () => {
    open((search) => (search.get('after') === 'there' ? { entries: [sampleEntry('b')], next: null } : { entries: [sampleEntry('a')], next: 'there' }))

    await userEvent.click(await screen.findByRole('button', { name: 'Show more' }))

    expect(await screen.findByText('Question b')).toBeTruthy()
    expect(screen.getByText('Question a')).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull()
  })

  it('keeps its filter in the address', async () => {
    const searches = open(() => ({ entries: [], next: null }), '/history?kind=ranking')
    expect(await screen.findByText('Nothing of what you handed in is like this.')).toBeTruthy()

    await userEvent.selectOptions(screen.getByLabelText('Status'), 'SURPLUS')

    await waitFor(() => expect(searches).toEqual(['kind=ranking', 'kind=ranking&standing=SURPLUS']))
  })

  it('says that there is nothing yet', async () => {
    open(() => ({ entries: [], next: null }))

    expect(await screen.findByText('You have not handed in anything yet.')).toBeTruthy()
  })
})
