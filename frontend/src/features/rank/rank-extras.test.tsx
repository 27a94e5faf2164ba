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

describe('ratings', () => {
  const axes = { rating_axes: ['helpful', 'true'] }
  const rating = (axis: string, letter: string) => screen.getByRole('group', { name: `${axis} – Response ${letter}` })

  it('are given by digits in their group, and all of them before the ranking goes', async () => {
    const { user } = open({ rating_axes: ['helpful'] }, two)

    await user.keyboard('1{Enter}')
    expect(said()).toBe('Not rated yet: A, B')
    expect(within(screen.getByRole('region', { name: 'Ranking' })).getByText('Not rated yet: A, B')).toBeTruthy()
    expect(document.activeElement).toBe(within(rating('helpful', 'A')).getByRole('radio', { name: '1, bad' }))
    await user.keyboard('6')
    await user.tab()
    await user.click(within(rating('helpful', 'B')).getByRole('radio', { name: '2' }))
    expect(screen.queryByText(/^Not rated yet/, { selector: 'section *' })).toBeNull()
    await user.keyboard('{Control>}{Enter}{/Control}')

    expect(submitted()).toMatchObject([{ tiers: [[A], [B]], ratings: { [A]: { helpful: 6 }, [B]: { helpful: 2 } } }])
  })

  it('are taken back by choosing them again, and survive a reload', async () => {
    const { user, unmount } = open(axes)
    await user.click(within(rating('true', 'B')).getByRole('radio', { name: '7, good' }))
    await user.click(within(rating('helpful', 'B')).getByRole('radio', { name: '3' }))
    await user.click(within(rating('helpful', 'B')).getByRole('radio', { name: '3' }))
    unmount()

    open(axes)

    const chosen = screen.getAllByRole<HTMLInputElement>('radio').filter(({ checked }) => checked)
    expect(chosen.map(({ name, value }) => [name, value])).toEqual([[`${B} true`, '7']])
  })
})

describe('flags', () => {
  it('are opened for the focused response by W, and closed by Escape', async () => {
    const { user } = open({ flags: true })

    await user.keyboard('123jjw')
    expect(document.activeElement?.closest('article')?.dataset.candidate).toBe(String(B))
    await user.keyboard(' {Escape}{Enter}')
    expect(button('Flags of Response B: 1').getAttribute('aria-expanded')).toBe('true')
    await user.keyboard('{Control>}{Enter}{/Control}')

    expect(submitted()).toMatchObject([{ flags: { [B]: ['wrong_task'] } }])
  })

  it('are nowhere where nobody asks for them', async () => {
    const { user } = open()

    await user.keyboard('w')

    expect(screen.queryByRole('button', { name: /^Flags/ })).toBeNull()
  })
})

describe('passages', () => {
  it('are chosen in the text as it was written, by keys alone, and can be taken out again', async () => {
    const { user } = open({ spans: true })
    await user.keyboard('123')

    await user.click(button('Mark a passage: Response B'))
    const field = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Response B, as it was written' })
    expect(field.value).toBe('Add **lemon**.')
    await user.keyboard('xyz{Backspace}')
    expect(field.value).toBe('Add **lemon**.')
    await user.selectOptions(screen.getByRole('combobox', { name: 'What is wrong with it' }), 'opinion')
    field.focus()
    field.setSelectionRange(4, 13)
    await user.keyboard('{Shift}')
    expect(screen.getByText('Chosen: “**lemon**”')).toBeTruthy()
    await user.keyboard('{Enter}{Escape}')

    const marks = screen.getByRole('list', { name: 'Marked passages: Response B' })
    expect(marks.textContent).toContain('**lemon**')
    await user.keyboard('{Control>}{Enter}{/Control}')
    expect(submitted()).toMatchObject([{ spans: { [B]: [{ start: 4, end: 13, flag: 'opinion' }] } }])
    await user.click(button('Remove the mark of “**lemon**”'))
    expect(screen.queryByRole('list', { name: 'Marked passages: Response B' })).toBeNull()
  })
})

describe('the reason for the order', () => {
  it('is asked for before the ranking goes, where it is required', async () => {
    const { user } = open({ rationale: 'required' })

    await user.keyboard('123{Enter}')
    expect(onSubmit).not.toHaveBeenCalled()
    expect(document.activeElement).toBe(screen.getByRole('textbox', { name: 'Why this order?' }))
    await user.keyboard('A helps 1 2 3.{Control>}{Enter}{/Control}')

    expect(submitted()).toMatchObject([{ tiers: four.candidates.map(({ id }) => [id]), rationale: 'A helps 1 2 3.' }])
  })

  it('may be left out where it is optional, or where nothing can be judged', async () => {
    const { user } = open({ rationale: 'optional' })

    await user.keyboard('n{Escape}123{Enter}')

    expect(submitted()[0]).not.toHaveProperty('rationale')
  })
})

describe('the improved response', () => {
  it('is that of the best one, with what was changed', async () => {
    const { user } = open({ edit: true })
    expect(screen.getByText(/Once a response is the best/)).toBeTruthy()

    await user.keyboard('213')
    await user.click(button('Improve response B'))
    const field = await screen.findByRole('textbox', { name: 'Response B, as it should be' })
    await user.clear(field)
    await user.type(field, 'Add **lime**.')
    expect((await screen.findByText('lime', { selector: 'ins' })).closest('section')).toBeTruthy()
    await user.keyboard('{Control>}{Enter}{/Control}')

    expect(submitted()).toMatchObject([{ edited: { id: B, text: 'Add **lime**.' } }])
  })

  it('waits while another one is the best, and is none where nothing was changed', async () => {
    const { user } = open({ edit: true })
    await user.keyboard('213')
    await user.click(button('Improve response B'))
    await user.type(await screen.findByRole('textbox', { name: 'Response B, as it should be' }), '!')

    await user.click(button('Move Response A up'))
    expect(screen.getByText(/not the best any more/)).toBeTruthy()
    await user.click(button('Submit'))
    expect(submitted()[0]).not.toHaveProperty('edited')
    await user.click(button('Move Response B up'))
    await user.type(screen.getByRole('textbox', { name: 'Response B, as it should be' }), '{Backspace}')
    await user.click(button('Submit'))

    expect(submitted()[1]).not.toHaveProperty('edited')
  })
})

describe('a judgement to be corrected', () => {
  it('is there as it was handed in', async () => {
    const before: Judgement = {
      tiers: [[B], [A]],
      unacceptable: four.candidates.slice(2).map(({ id }) => id),
      cannot_judge: '',
      seconds_spent: 12,
      flags: { [A]: ['opinion'] },
      rationale: 'B helps.',
    }
    const { user } = open({ flags: true, rationale: 'required' }, four, before)

    await user.click(button('Submit'))

    expect(submitted()).toEqual([{ ...before, seconds_spent: expect.any(Number) }])
    expect(submitted()[0].seconds_spent).toBeGreaterThanOrEqual(12)
  })
})
