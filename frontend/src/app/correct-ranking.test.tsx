import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import type { OwnRanking } from '@/api'
import { answerWith } from '@/testing/network'
import { showAt } from '@/testing/query'
import { sampleAssignment } from '@/testing/samples'

import CorrectRanking from './correct-ranking'

const ADA = { id: 7, username: 'ada', display_name: 'Ada', role: 'labeler' as const, preferences: {} }

function ranking(changes: Partial<OwnRanking> = {}): OwnRanking {
  return {
    assignment: sampleAssignment(1),
    campaign_name: 'Kitchen',
    ranked_under: 1,
    standing: 'SUBMITTED',
    correctable_until: '2999-01-01T00:00:00Z',
    tiers: [[10], [11], [12], [13]],
    unacceptable: [],
    ratings: {},
    flags: {},
    edited: null,
    submitted_at: '2026-11-24T12:00:00Z',
    seconds_spent: 12,
    ...changes,
  }
}

function open(shown: OwnRanking, refusals: { status: number; body: unknown }[] = []) {
  const asked = answerWith(({ method }) => {
    if (method === 'GET') return { body: shown }
    return refusals.shift() ?? { status: 201, body: { ranking_id: 2, revision: 2 } }
  })
  const { location } = showAt('/history/rankings/1/correct', <CorrectRanking id="1" person={ADA} campaigns={[]} />)
  return { sent: () => asked.filter(({ method }) => method === 'POST'), location }
}

describe('correcting a ranking', () => {
  it('begins with what was handed in, and ends where it is shown', async () => {
    const { sent, location } = open(ranking())
    expect(await screen.findByText(/You correct a ranking/)).toBeTruthy()

    await userEvent.keyboard('r432{Enter}')

    await waitFor(() => expect(location.history?.at(-1)).toBe('/history/rankings/1'))
    expect(sent()[0]).toMatchObject({ path: '/api/assignments/1/corrections', body: { tiers: [[13], [12], [11], [10]] } })
  })

  it('sent again carries the same key', async () => {
    const { sent } = open(ranking(), [{ status: 503, body: {} }])
    await screen.findByText(/You correct a ranking/)

    await userEvent.keyboard('{Enter}')
    await screen.findByRole('alert')
    await userEvent.keyboard('{Enter}')

    await waitFor(() => expect(sent()).toHaveLength(2))
    const [first, second] = sent().map(({ body }) => (body as { idempotency_key: string }).idempotency_key)
    expect(first).toBe(second)
  })

  it('says the server’s no, and sends no more', async () => {
    const closed = { code: 'correction_window_closed', detail: 'The time to correct this is over; it stays as it is.' }
    const { sent, location } = open(ranking(), [{ status: 409, body: closed }])
    await screen.findByText(/You correct a ranking/)

    await userEvent.keyboard('{Enter}')

    expect((await screen.findByRole('alert')).textContent).toContain('time to correct this is over')
    await userEvent.keyboard('{Enter}')
    await userEvent.click(screen.getByRole('button', { name: 'Leave it as it was' }))
    expect(location.history?.at(-1)).toBe('/history/rankings/1')
    expect(sent()).toHaveLength(1)
  })

  it('is not begun when its time is over', async () => {
    open(ranking({ correctable_until: '2020-01-01T00:00:00Z' }))

    expect(await screen.findByRole('heading', { name: 'The time to correct this is over' })).toBeTruthy()
  })

  it('is not begun by anybody else', async () => {
    answerWith(() => ({ status: 404, body: { code: 'not_found', detail: 'There is nothing here that you may see.' } }))
    showAt('/history/rankings/1/correct', <CorrectRanking id="1" person={ADA} campaigns={[]} />)

    expect((await screen.findByRole('alert')).textContent).toContain('nothing here that you may see')
  })
})
