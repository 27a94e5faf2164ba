import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import type { OwnRanking } from '@/api'
import { outboxOf } from '@/components/outbox'
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

type Answer = { status: number; body: unknown }

/** ``earlier``: a correction of an earlier visit, and what the server says to it. */
function open(shown: OwnRanking, refusals: Answer[] = [], earlier?: { answer: Answer }) {
  const asked = answerWith(({ method, body }) => {
    if (method === 'GET') return { body: shown }
    if (earlier && (body as { idempotency_key: string }).idempotency_key === 'earlier') return earlier.answer
    return refusals.shift() ?? { status: 201, body: { ranking_id: 2, revision: 2 } }
  })
  if (earlier) handInEarlier(shown)
  const { location } = showAt('/history/rankings/1/correct', <CorrectRanking id="1" person={ADA} campaigns={[]} />)
  return { sent: () => asked.filter(({ method }) => method === 'POST'), location }
}

function handInEarlier({ assignment, unacceptable, ratings, flags, edited }: OwnRanking) {
  const judgement = { tiers: [[12], [11], [10], [13]], unacceptable, ratings, flags, edited, cannot_judge: '', seconds_spent: 9 }
  outboxOf(ADA.id).add({
    key: 'earlier',
    kind: 'correction',
    target: assignment.id,
    path: '/history/rankings/1/correct',
    body: { ...judgement, idempotency_key: 'earlier' },
    shown: assignment,
  })
}

describe('correcting a ranking', () => {
  it('begins with what was handed in, and ends where it is shown', async () => {
    const { sent, location } = open(ranking())
    expect(await screen.findByText(/You correct a ranking/)).toBeTruthy()

    await userEvent.keyboard('r432{Enter}')

    await waitFor(() => expect(location.history?.at(-1)).toBe('/history/rankings/1'))
    expect(sent()[0]).toMatchObject({ path: '/api/assignments/1/corrections', body: { tiers: [[13], [12], [11], [10]] } })
  })

  it('is kept where the server fails, and sent again by itself under the same key', async () => {
    const busy = { status: 503, body: {} }
    const { sent, location } = open(ranking(), [busy, busy])
    await screen.findByText(/You correct a ranking/)

    await userEvent.keyboard('{Enter}')

    expect(await screen.findByRole('heading', { name: 'Your correction is kept on this device' })).toBeTruthy()
    await waitFor(() => expect(location.history?.at(-1)).toBe('/history/rankings/1'))
    const keys = sent().map(({ body }) => (body as { idempotency_key: string }).idempotency_key)
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
  })

  it('shows what was handed in while nobody answered, and what is handed in then takes its place', async () => {
    const outbox = outboxOf(ADA.id)
    const busy = { status: 503, body: {} }
    const { sent, location } = open(ranking(), [], { answer: busy })
    expect(await screen.findByText(/is not sent yet/)).toBeTruthy()

    await userEvent.keyboard('r4123{Enter}')

    await waitFor(() => expect(location.history?.at(-1)).toBe('/history/rankings/1'))
    await waitFor(() => expect(outbox.snapshot().items).toEqual([]))
    // It began with the order that was handed in: worst last.
    const last = sent().at(-1)!.body as { tiers: number[][]; idempotency_key: string }
    expect(last.tiers.flat().at(0)).toBe(13)
    expect(last.idempotency_key).not.toBe('earlier')
  })

  it('shows what was refused after its writer had left', async () => {
    const outbox = outboxOf(ADA.id)
    const closed = { code: 'correction_window_closed', detail: 'The time is over.' }
    const over = ranking({ correctable_until: '2020-01-01T00:00:00Z' })
    const { location } = open(over, [], { answer: { status: 409, body: closed } })

    expect((await screen.findByRole('alert')).textContent).toContain('The time is over.')
    expect(screen.getByRole('button', { name: 'Copy' })).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Leave it as it was' }))

    expect(location.history?.at(-1)).toBe('/history/rankings/1')
    await waitFor(() => expect(outbox.snapshot().items).toEqual([]))
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
