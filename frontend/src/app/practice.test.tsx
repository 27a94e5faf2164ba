import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import type { PracticeItem } from '@/api'
import { answerWith, type Asked } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleAssignment } from '@/testing/samples'

import Practice from './practice'

const ADA = { id: 7, username: 'ada', display_name: 'Ada', role: 'labeler' as const, preferences: {} }

function item(id: number): PracticeItem {
  const { campaign, prompt, candidates, guideline_version } = sampleAssignment(id)
  return { id, campaign, prompt, candidates, guideline_version, attempts: 0 }
}

/** A server with some items, best answer first in each, of which two are to be passed. */
class Server {
  private readonly ids: number[]
  private readonly passed = new Set<number>()

  constructor(...ids: number[]) {
    this.ids = ids
  }

  answer = ({ method, path, body }: Asked) => {
    if (method === 'GET') {
      const id = this.ids.find((one) => !this.passed.has(one))
      return { body: { ...this.progress(), item: id === undefined ? null : item(id) } }
    }
    const id = Number(/practice\/(\d+)/.exec(path)![1])
    const tiers = item(id).candidates.map((candidate) => [candidate.id])
    const is_passed = JSON.stringify((body as { tiers: number[][] }).tiers) === JSON.stringify(tiers)
    if (is_passed) this.passed.add(id)
    const answer = { tiers, unacceptable: [], explanation: 'Salt **first**.' }
    return { status: 201, body: { is_passed, answer, progress: this.progress(), has_more: this.passed.size < this.ids.length } }
  }

  private progress() {
    return { passed: this.passed.size, left: Math.max(0, 2 - this.passed.size) }
  }
}

function open(answer: (asked: Asked) => { status?: number; body?: unknown }) {
  const asked = answerWith(answer)
  show(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <Practice campaign={1} name="Kitchen" person={ADA} />
    </QueryClientProvider>,
  )
  return { asked, user: userEvent.setup() }
}

const question = (id: number) => screen.findByText(new RegExp(`Question ${id}:`))
const heading = (name: string) => screen.findByRole('heading', { level: 1, name })

describe('practice', () => {
  it('tells the known order and why after a try, and lets one try again', async () => {
    const { user, asked } = open(new Server(1, 2).answer)
    await question(1)
    expect(screen.queryByText('first')).toBeNull()
    expect(screen.queryByRole('button', { name: 'Skip' })).toBeNull()

    await user.keyboard('213{Enter}')

    expect(await heading('Not quite yet')).toBe(document.activeElement)
    expect(screen.getByText('first').tagName).toBe('STRONG')
    expect(screen.getByText('A > B > C > D')).toBeTruthy()
    expect(screen.getByText('B > A > C > D')).toBeTruthy()
    const cards = within(screen.getByRole('list', { name: 'The responses in the known order' })).getAllByRole('listitem')
    expect(cards.map(({ dataset }) => dataset.alike)).toEqual(['false', 'false', 'true', 'true'])
    expect(within(cards[0]!).getByText('Yours: 2nd')).toBeTruthy()
    expect(within(cards[0]!).getByText('Belongs above B')).toBeTruthy()
    expect(within(cards[2]!).getByText('In its place')).toBeTruthy()
    expect(asked.at(-1)!.body).toEqual({ tiers: [[11], [10], [12], [13]], unacceptable: [], cannot_judge: '' })

    await user.click(screen.getByRole('button', { name: 'Try again' }))
    await heading('Rank 4 responses, best first')
    expect(screen.getByText('0 of 2 passed')).toBeTruthy()
    await user.keyboard('123{Enter}')
    expect(await heading('Passed')).toBeTruthy()
  })

  it('counts what is passed and then leads to the work', async () => {
    const { user, asked } = open(new Server(1, 2).answer)
    await question(1)
    await user.keyboard('123{Enter}')
    await heading('Passed')
    expect(screen.getByText('1 of 2 passed')).toBeTruthy()
    expect(screen.queryByRole('link', { name: 'Start ranking' })).toBeNull()

    await user.keyboard('{Control>}{Enter}{/Control}')
    await question(2)
    expect(asked.at(-1)!.path).toBe('/api/campaigns/1/practice')
    await user.keyboard('123{Enter}')

    await heading('Passed')
    expect(screen.getByText('2 of 2 passed')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Start ranking' }).getAttribute('href')).toBe('/rank/1')
    expect(screen.queryByRole('button', { name: 'Next item' })).toBeNull()
  })

  it('shows the same item again where it is the only one', async () => {
    const { user } = open(new Server(1).answer)
    for (let round = 0; round < 2; round += 1) {
      await question(1)
      await user.keyboard('4321{Enter}')
      await heading('Not quite yet')
      await user.click(screen.getByRole('button', { name: 'Next item' }))
    }

    expect(await heading('Rank 4 responses, best first')).toBeTruthy()
  })

  it('keeps the order where it could not be sent', async () => {
    const server = new Server(1, 2)
    let isDown = true
    const { user } = open((asked) => {
      if (asked.method === 'POST' && isDown) throw new TypeError('no network')
      return server.answer(asked)
    })
    await question(1)
    await user.keyboard('123{Enter}')
    expect((await screen.findByRole('alert')).textContent).toContain('cannot be reached')

    isDown = false
    await user.keyboard('{Enter}')

    expect(await heading('Passed')).toBeTruthy()
  })

  it('takes "cannot judge" for an answer', async () => {
    const { user, asked } = open(new Server(1).answer)
    await question(1)

    await user.click(screen.getByRole('button', { name: 'Cannot judge' }))
    await user.click(await screen.findByLabelText('The facts cannot be checked'))
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Submit' }))

    await heading('Not quite yet')
    expect(asked.at(-1)!.body).toEqual({ tiers: [], unacceptable: [], cannot_judge: 'facts' })
    expect(screen.getAllByText('Yours: not ranked')).toHaveLength(4)
  })

  it('says when nothing is left, and when the server is away', async () => {
    let isDown = true
    const { user } = open((asked) => {
      if (isDown) throw new TypeError('no network')
      return new Server().answer(asked)
    })

    await screen.findByRole('alert')
    isDown = false
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await heading('Nothing left to practise')).toBeTruthy()
  })
})
