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
    <RankItem assignment={assignment} person={ADA} asks={{ ...ASKS_NOTHING, ...asks }} refused={undefined}
      {...(initial && { initial })} onSubmit={onSubmit} onSkip={vi.fn()} onDiscard={vi.fn()} />
  )
  return { user: userEvent.setup(), ...show(item) }
}

const button = (name: string | RegExp) => screen.getByRole<HTMLButtonElement>('button', { name })
const said = () => document.querySelector('[data-live-region]')?.textContent
const submitted = () => onSubmit.mock.calls.map(([judgement]) => judgement)
const shown = () => screen.getAllByRole('article').map(({ dataset }) => Number(dataset.candidate))

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

describe('ratings', () => {
  const axes = { rating_axes: ['helpful', 'true'] }
  const rating = (axis: string, letter: string) => screen.getByRole('group', { name: `${axis} – Response ${letter}` })

  it('are given by digits in their group, and all of them before the ranking goes', async () => {
    const { user } = open({ rating_axes: ['helpful'] }, two)

    await user.keyboard('1{Enter}')
    expect(said()).toBe('Not rated yet: A, B')
    expect(document.activeElement).toBe(within(rating('helpful', 'A')).getByRole('radio', { name: '1, bad' }))
    await user.keyboard('6')
    await user.tab()
    await user.click(within(rating('helpful', 'B')).getByRole('radio', { name: '2' }))
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
