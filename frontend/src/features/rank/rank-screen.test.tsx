import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleAssignment } from '@/testing/samples'

import RankScreen from './rank-screen'

const ADA = { id: 7, username: 'ada', display_name: 'Ada', role: 'labeler' as const, preferences: {} }

function open() {
  show(
    <QueryClientProvider client={new QueryClient()}>
      <RankScreen campaign={1} name="Kitchen" person={ADA} />
    </QueryClientProvider>,
  )
  return userEvent.setup()
}

const question = (id: number) => screen.findByText(new RegExp(`Question ${id}:`))

describe('the rank screen', () => {
  it('asks for two, sends what was ranked, and has the next one there', async () => {
    const all = answerWith(({ path }) =>
      path.endsWith('/ranking')
        ? { status: 201, body: { ranking_id: 1, kept_as_surplus: false, next: [sampleAssignment(3)] } }
        : { body: { assignments: [sampleAssignment(1), sampleAssignment(2)] } },
    )
    const user = open()
    await question(1)

    await user.keyboard('123{Enter}')

    await question(2)
    await waitFor(() => expect(all).toHaveLength(2))
    expect(all[0]).toMatchObject({ path: '/api/campaigns/1/assignments', body: { count: 2, holding: [] } })
    expect(all[1]).toMatchObject({ path: '/api/assignments/1/ranking', body: { tiers: [[10], [11], [12], [13]] } })
    expect(document.title).toBe('Rank · Kitchen · Rankwright')
  })

  it('says calmly that a late one is kept', async () => {
    answerWith(({ path }) =>
      path.endsWith('/ranking')
        ? { status: 201, body: { ranking_id: 1, kept_as_surplus: true, next: [] } }
        : { body: { assignments: [sampleAssignment(1), sampleAssignment(2)] } },
    )
    const user = open()
    await question(1)

    await user.keyboard('123{Enter}')

    expect(await screen.findByText(/is kept/)).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('leads to practice where that comes first', async () => {
    answerWith(() => ({ status: 409, body: { code: 'practice_needed', detail: 'Try the practice items.' } }))
    open()

    const link = await screen.findByRole('link', { name: 'Practise' })

    expect(link.getAttribute('href')).toBe('/practice/1')
    expect(screen.getByText('Try the practice items.')).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('says in words that there is nothing to do', async () => {
    answerWith(() => ({ body: { assignments: [] } }))

    open()

    expect(await screen.findByRole('heading', { name: 'All ranked' })).toBeTruthy()
  })

  it('offers to try again when nobody answers', async () => {
    let isReachable = false
    answerWith(() => {
      if (!isReachable) throw new TypeError('Failed to fetch')
      return { body: { assignments: [sampleAssignment(1)] } }
    })
    const user = open()
    expect((await screen.findByRole('alert')).textContent).toContain('cannot be reached')

    isReachable = true
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    await question(1)
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('says that a skip reached nobody, and goes on showing what was not skipped', async () => {
    answerWith(({ path }) => {
      if (path.endsWith('/skip')) throw new TypeError('Failed to fetch')
      return { body: { assignments: [sampleAssignment(1), sampleAssignment(2)] } }
    })
    const user = open()
    await question(1)

    await user.keyboard('s')
    await user.click(await screen.findByLabelText('I do not know this subject'))
    await user.click(screen.getAllByRole('button', { name: 'Skip' }).at(-1)!)

    expect((await screen.findByRole('alert')).textContent).toContain('cannot be reached')
    expect((await question(1)).closest('[style*="display: none"]')).toBeNull()
  })
})
