import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleAssignment } from '@/testing/samples'

import type { Work } from './queue'
import RankScreen from './rank-screen'

const ROSA = { id: 8, username: 'rosa', display_name: 'Rosa', role: 'reviewer' as const, preferences: {} }
const ORDERS = [
  { tiers: [[11], [10, 12]], unacceptable: [13], cannot_judge: '', rationale: 'The second one is right.' },
  { tiers: [], unacceptable: [], cannot_judge: 'facts', rationale: '' },
]

function open(work: Work = 'adjudicate') {
  show(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <RankScreen campaign={1} name="Kitchen" person={ROSA} work={work} />
    </QueryClientProvider>,
  )
  return userEvent.setup()
}

const disagreement = () =>
  answerWith(({ path }) => (path.endsWith('/orders') ? { body: ORDERS } : { body: { assignments: [sampleAssignment(1)] } }))

const question = () => screen.findByText(/Question 1:/)

describe('settling a disagreement', () => {
  it('is claimed from the disagreements and ranked like any other', async () => {
    const all = answerWith(({ path }) =>
      path.endsWith('/ranking')
        ? { status: 201, body: { ranking_id: 1, next: [] } }
        : { body: { assignments: all.length === 1 ? [sampleAssignment(1)] : [] } },
    )
    const user = open()
    await question()

    await user.keyboard('213{Enter}')

    expect(await screen.findByRole('heading', { name: 'All settled' })).toBeTruthy()
    expect(all[0]!.path).toBe('/api/campaigns/1/adjudications')
    expect(all[1]).toMatchObject({ path: '/api/assignments/1/ranking', body: { tiers: [[11], [10], [12], [13]] } })
    expect(document.title).toBe('Adjudicate · Kitchen · Rankwright')
  })

  it('shows what labelers said only to who has an order of their own', async () => {
    const all = disagreement()
    const user = open()
    await question()
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Show what labelers said' })

    expect(button.disabled).toBe(true)
    await user.keyboard('q')
    expect(all.filter(({ path }) => path.endsWith('/orders'))).toEqual([])
    await user.keyboard('123q')

    expect(await screen.findByText('B > A = C')).toBeTruthy()
    expect(screen.getByText('Unacceptable: D')).toBeTruthy()
    expect(screen.getByText('The second one is right.')).toBeTruthy()
    expect(screen.getByText('Could not judge: facts')).toBeTruthy()
  })

  it('shows on each response where labelers put it', async () => {
    disagreement()
    const user = open()
    await question()

    await user.keyboard('123q')

    const put = async (letter: string) => (await screen.findByRole('list', { name: `Where labelers put Response ${letter}` })).textContent
    expect(await put('A')).toBe('Labeler 1: 2nd tied')
    expect(await put('B')).toBe('Labeler 1: 1st')
    expect(await put('D')).toBe('Labeler 1: Unacceptable')
    await user.keyboard('q')
    expect(screen.queryByRole('list', { name: /^Where labelers put/ })).toBeNull()
  })

  it('is asked of nobody who only ranks', async () => {
    const all = disagreement()
    open('rank')
    await question()

    expect(screen.queryByRole('button', { name: 'Show what labelers said' })).toBeNull()
    expect(all[0]!.path).toBe('/api/campaigns/1/assignments')
  })
})

describe('a pause', () => {
  it('is said in calm words', async () => {
    answerWith(() => ({ status: 409, body: { code: 'paused', detail: 'Somebody looks first.' } }))

    open('rank')

    expect(await screen.findByRole('heading', { name: 'Your work here is paused' })).toBeTruthy()
    expect(screen.getByText('Somebody looks first.')).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })
})
