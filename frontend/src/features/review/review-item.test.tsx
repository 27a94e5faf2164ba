import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleReview } from '@/testing/samples'

import { ReviewItem } from './review-item'

const ROSA = 8
const onDecided = vi.fn()
const onGoOn = vi.fn()
const onSignedOut = vi.fn()

function open(demonstration = sampleReview(1)) {
  const shown = show(
    <ReviewItem demonstration={demonstration} person={ROSA} onDecided={onDecided} onGoOn={onGoOn} onSignedOut={onSignedOut} />,
  )
  return { user: userEvent.setup(), ...shown }
}

const RETURNED = [
  {
    verdict: 'RETURNED' as const,
    reason: 'Say how long.',
    reviewed_at: '2026-11-24T12:00:00Z',
    turns: [{ role: 'assistant' as const, content: 'Add lemon.' }],
  },
]

const reason = () => screen.getByLabelText<HTMLTextAreaElement>(/What should be different/)

beforeEach(() => void vi.clearAllMocks())

describe('reviewing a demonstration', () => {
  it('accepts with one key, and the next one comes', async () => {
    const next = sampleReview(2)
    const all = answerWith(() => ({ status: 201, body: { review_id: 1, next } }))
    const { user } = open()

    await user.keyboard('y')

    await waitFor(() => expect(onDecided).toHaveBeenCalledWith(next))
    expect(all).toMatchObject([{ path: '/api/demonstrations/1/review', body: { verdict: 'ACCEPTED', reason: '', revision: 3 } }])
  })

  it('says what no person wrote', () => {
    open(sampleReview(1, { is_synthetic: true }))

    expect(screen.getByText(/A model made this up/)).toBeTruthy()
  })

  it('returns from the keyboard with the reason that was written', async () => {
    const all = answerWith(() => ({ status: 201, body: { review_id: 1, next: null } }))
    const { user } = open()

    await user.keyboard('r')
    await user.keyboard(' Say how long. {Control>}{Enter}{/Control}')

    await waitFor(() => expect(onDecided).toHaveBeenCalledWith(null))
    expect(all).toMatchObject([{ body: { verdict: 'RETURNED', reason: 'Say how long.' } }])
    expect(localStorage).toHaveLength(0)
  })

  it('returns nothing without a reason, and asks for it', async () => {
    const all = answerWith(() => ({ body: {} }))
    const { user } = open()

    await user.click(screen.getByRole('button', { name: 'Return with this reason' }))

    expect(screen.getByText(/Say what should be different/)).toBeTruthy()
    expect(document.activeElement).toBe(reason())
    expect(all).toEqual([])
  })

  it('never throws away a reason by accepting', async () => {
    const all = answerWith(() => ({ body: {} }))
    const { user } = open()

    await user.type(reason(), 'Say how long.')
    reason().blur()
    await user.keyboard('y')

    expect(all).toEqual([])
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Accept' }).disabled).toBe(true)
    expect(screen.getByRole('region', { name: 'Verdict' }).textContent).toContain('To accept it, clear the reason first.')
  })

  it('shows why earlier versions were returned, and those versions', () => {
    open(sampleReview(1, { earlier: RETURNED }))

    const before = screen.getByRole('region', { name: 'Returned before, because' })
    expect(before.textContent).toContain('Say how long.')
    expect(before.querySelector('details')!.textContent).toMatch(/November 24, 2026.*Add lemon\./s)
  })

  it('shows what the author changed since, until the whole text is asked for', async () => {
    const { user } = open(sampleReview(1, { earlier: RETURNED }))
    const text = () => screen.getByRole('region', { name: 'Demonstration' })

    await waitFor(() => expect(text().querySelector('del')!.textContent).toContain('Add'))
    expect(text().querySelector('ins')!.textContent).toContain('Answer')
    await user.keyboard('v')

    expect(text().querySelector('del, ins')).toBeNull()
    expect(text().querySelector('strong')!.textContent).toBe('lemon')
  })

  it('has nothing to compare what nobody returned with', () => {
    open()

    expect(screen.queryByRole('button', { name: /What changed/ })).toBeNull()
  })
})

describe('a reason being written', () => {
  it('is still there after a reload', async () => {
    const { user, unmount } = open()
    await user.type(reason(), 'Say how')

    unmount()
    open()

    expect(reason().value).toBe('Say how')
  })

  it('is still there when nobody answers', async () => {
    answerWith(() => {
      throw new TypeError('Failed to fetch')
    })
    const { user } = open()

    await user.type(reason(), 'Say how long.{Control>}{Enter}{/Control}')

    expect((await screen.findByRole('alert')).textContent).toContain('cannot be reached')
    expect(reason().value).toBe('Say how long.')
    expect(onDecided).not.toHaveBeenCalled()
  })

  it('is sent again by one button when the network is back', async () => {
    let isReachable = false
    const all = answerWith(() => {
      if (!isReachable) throw new TypeError('Failed to fetch')
      return { status: 201, body: { review_id: 1, next: null } }
    })
    const { user } = open()
    await user.type(reason(), 'Say how long.{Control>}{Enter}{/Control}')
    await screen.findByRole('alert')

    isReachable = true
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    await waitFor(() => expect(onDecided).toHaveBeenCalledWith(null))
    expect(all.at(-1)!.body).toMatchObject({ verdict: 'RETURNED', reason: 'Say how long.' })
  })

  it('asks who is there when the session ended', async () => {
    answerWith(() => ({ status: 403, body: { code: 'not_authenticated', detail: 'Sign in.' } }))
    const { user } = open()

    await user.type(reason(), 'Say how long.{Control>}{Enter}{/Control}')

    await waitFor(() => expect(onSignedOut).toHaveBeenCalled())
    expect(reason().value).toBe('Say how long.')
  })

  it.each([
    ['another reviewer was faster', 'lease_lost'],
    ['its author has changed it', 'stale_revision'],
  ])('stays on screen when %s, with a way on', async (_, code) => {
    answerWith(() => ({ status: 409, body: { code, detail: 'It is no longer yours.' } }))
    const { user } = open()

    await user.type(reason(), 'Say how long.{Control>}{Enter}{/Control}')
    await user.click(await screen.findByRole('button', { name: 'Go on to the next one' }))

    expect(onGoOn).toHaveBeenCalled()
    expect(reason().value).toBe('Say how long.')
  })
})
