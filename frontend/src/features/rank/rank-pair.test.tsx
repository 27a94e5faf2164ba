import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import type { Asks } from '@/api'
import { show } from '@/testing/render'
import { sampleAssignment } from '@/testing/samples'

import { ASKS_NOTHING, type Judgement } from './judgement'
import { RankItem } from './rank-item'

const ADA = 7
const four = sampleAssignment(1)
const two = { ...four, candidates: four.candidates.slice(0, 2) }
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

beforeEach(() => vi.clearAllMocks())

describe('two responses', () => {
  it('need one key, which can be pressed otherwise until Enter', async () => {
    const { user } = open({}, two)

    await user.keyboard('12{Enter}')

    expect(submitted()).toMatchObject([{ tiers: [[B], [A]] }])
    expect(submitted()[0]).not.toHaveProperty('strength')
  })

  it.each([
    ['=', [[A, B]]],
    ['{ArrowRight}', [[B], [A]]],
    ['{ArrowLeft}', [[A], [B]]],
    ['{Shift>}2{/Shift}', [[A, B]]],
  ])('are ordered by %s', async (keys, tiers) => {
    const { user } = open({}, two)

    await user.keyboard(`${keys}{Enter}`)

    expect(submitted()).toMatchObject([{ tiers }])
  })

  it.each([
    ['1', [[A], [B]], 3],
    ['3', [[A], [B]], 1],
    ['4', [[A, B]], undefined],
    ['6', [[B], [A]], 2],
    ['7', [[B], [A]], 3],
  ])('are weighed by %s where the campaign asks by how much', async (key, tiers, strength) => {
    const { user } = open({ strength: true }, two)

    await user.keyboard(`${key}{Enter}`)

    expect(submitted()).toMatchObject([{ tiers }])
    expect(submitted()[0].strength).toBe(strength)
  })

  it('are weighed by buttons that say so, and letters and 8 weigh nothing', async () => {
    const { user } = open({ strength: true }, two)

    await user.keyboard('a8{Enter}')
    expect(onSubmit).not.toHaveBeenCalled()
    await user.click(button('B slightly better'))

    expect(button('B slightly better').getAttribute('aria-pressed')).toBe('true')
    await user.keyboard('{Enter}')
    expect(submitted()).toMatchObject([{ tiers: [[B], [A]], strength: 1 }])
  })

  it('say that the strength is missing where only the order is known', async () => {
    const { user } = open({ strength: true }, two, { tiers: [[A], [B]], unacceptable: [], cannot_judge: '', seconds_spent: 3 })

    await user.keyboard('{Enter}')

    expect(said()).toContain('how much better')
    expect(onSubmit).not.toHaveBeenCalled()
  })
})
