import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import type { Asks } from '@/api'
import { show } from '@/testing/render'
import { sampleAssignment } from '@/testing/samples'

import { ASKS_NOTHING, type Judgement } from './judgement'
import { RankItem } from './rank-item'

const ADA = 7
const four = sampleAssignment(1)
const [A, B] = four.candidates.map(({ id }) => id) as [number, number]

const onSubmit = vi.fn()

function open(asks: Partial<Asks> = {}, assignment = four, initial?: Judgement) {
  const item = (
    <RankItem assignment={assignment} person={ADA} asks={{ ...ASKS_NOTHING, ...asks }}
      {...(initial && { initial })} onSubmit={onSubmit} onSkip={vi.fn()} />
  )
  return { user: userEvent.setup(), ...show(item) }
}

const button = (name: string | RegExp) => screen.getByRole<HTMLButtonElement>('button', { name })
const said = () => document.querySelector('[data-live-region]')?.textContent
const submitted = () => onSubmit.mock.calls.map(([judgement]) => judgement)
const shown = () => screen.getAllByRole('article').map(({ dataset }) => Number(dataset.candidate))

beforeEach(() => vi.clearAllMocks())

describe('one at a time', () => {
  it('shows the others as a rail, and goes by keys and by letters', async () => {
    const { user } = open()

    await user.keyboard('o')
    expect(shown()).toEqual([A])
    await user.keyboard('j')
    expect(shown()).toEqual([B])
    await user.keyboard('214')
    await user.click(within(screen.getByRole('navigation', { name: 'Responses' })).getByRole('button', { name: /Response A/ }))
    expect(shown()).toEqual([A])
    expect(screen.getByRole('article').textContent).toContain('2nd')
    await user.keyboard('{Escape}')

    expect(shown()).toHaveLength(4)
  })
})

describe('comparing two at a time', () => {
  it('fills the same ranking, by arrows, by letters and by "=", and ends by itself', async () => {
    const { user } = open()
    const [, , C, D] = four.candidates.map(({ id }) => id) as [number, number, number, number]

    await user.keyboard('m')
    expect(shown()).toEqual([A, B])
    await user.keyboard('{ArrowRight}')
    expect(said()).toBe('B > A. 2 left')
    // C against the tier in the middle, A; then against B.
    expect(shown()).toEqual([A, C])
    await user.keyboard('c')
    expect(shown()).toEqual([B, C])
    await user.keyboard('=')
    expect(said()).toBe('B = C > A. 1 left')
    await user.keyboard('{ArrowLeft}')

    expect(shown()).toHaveLength(4)
    await user.keyboard('{Enter}')
    expect(submitted()).toMatchObject([{ tiers: [[B, C], [A], [D]] }])
  })

  it('can be left at any time, and goes on from what is ranked', async () => {
    const { user } = open()

    await user.keyboard('m')
    await user.click(button(/^A is better/))
    await user.click(button(/^Back to all/))
    expect(shown()).toHaveLength(4)
    await user.keyboard('4m')

    expect(said()).toContain('A > B > D > C')
    expect(button('Compare two').disabled).toBe(true)
  })
})

describe('the text', () => {
  it('is shown as it was written, and back', async () => {
    const { user } = open()
    expect(screen.queryByText('Add **lemon**.')).toBeNull()

    await user.keyboard('v')
    expect(screen.getByText('Add **lemon**.')).toBeTruthy()
    await user.keyboard('v')

    expect(screen.getByText('lemon', { selector: 'strong' })).toBeTruthy()
  })

  it('shows what changed where two are nearly the same, and offers it nowhere else', async () => {
    const near = { ...four, candidates: [{ id: A, text: 'Brown the onions first, then salt.' }, { id: B, text: 'Brown the leeks first, then salt.' }] }
    const { user, unmount } = open({}, near)

    await user.click(await screen.findByRole('button', { name: 'Differences' }))
    expect((await screen.findByText('onions', { selector: 'del' })).closest('article')?.dataset.candidate).toBe(String(B))
    await user.keyboard('t')
    expect(screen.queryByText('onions', { selector: 'del' })).toBeNull()
    unmount()
    open()

    expect(screen.queryByRole('button', { name: 'Differences' })).toBeNull()
  })
})

describe('keys', () => {
  const press = (init: KeyboardEventInit) => document.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, ...init }))

  it('of an input method choose characters, not responses', () => {
    open()

    press({ key: '2', code: 'Digit2', isComposing: true })
    press({ key: 'Process', code: 'Digit2', keyCode: 229 })

    expect(screen.queryByRole('list', { name: 'Ranking so far, best first' })).toBeNull()
  })

  it('of a French keyboard and of the number pad rank', async () => {
    open()

    press({ key: 'é', code: 'Digit2' })
    press({ key: '1', code: 'Numpad1' })

    expect((await screen.findByRole('list', { name: 'Ranking so far, best first' })).textContent).toMatch(/B.*A/)
  })
})
