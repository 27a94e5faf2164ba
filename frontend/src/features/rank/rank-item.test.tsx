import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { prefer } from '@/shared/preferences'
import { sampleAssignment } from '@/testing/samples'
import { show } from '@/testing/render'

import { RankItem } from './rank-item'

const ADA = 7
const assignment = sampleAssignment(1)
const [A, B, C, D] = assignment.candidates.map(({ id }) => id) as [number, number, number, number]

const onSubmit = vi.fn()
const onSkip = vi.fn()

function open(refused = false) {
  const item = <RankItem assignment={assignment} person={ADA} refused={refused} onSubmit={onSubmit} onSkip={onSkip} />
  return { user: userEvent.setup(), ...show(item) }
}

const button = (name: string | RegExp) => screen.getByRole<HTMLButtonElement>('button', { name })
const submitButton = () => within(screen.getByRole('region', { name: 'Ranking' })).getAllByRole<HTMLButtonElement>('button').at(-1)!
const said = () => document.querySelector('[data-live-region]')?.textContent
const submitted = () => onSubmit.mock.calls.map(([judgement]) => judgement)

beforeEach(() => vi.clearAllMocks())

describe('a ranking', () => {
  it('starts with nothing ranked and cannot be handed in so', async () => {
    const { user } = open()

    await user.keyboard('{Enter}')

    expect(submitButton().disabled).toBe(true)
    expect(said()).toBe('Not ranked yet: A, B, C, D')
    expect(onSubmit).not.toHaveBeenCalled()
    expect(screen.queryByText('1st')).toBeNull()
  })

  it('says how many are left until it is complete', async () => {
    const { user } = open()

    await user.keyboard('2')
    expect(submitButton().textContent).toContain('3 left')
    expect(submitButton().disabled).toBe(true)
    await user.keyboard('14')

    expect(submitButton().textContent).toContain('Submit')
    expect(submitButton().disabled).toBe(false)
  })

  it('is made by digits and handed in by Enter', async () => {
    const { user } = open()

    await user.keyboard('314{Enter}')

    expect(submitted()).toEqual([
      { tiers: [[C], [A], [D], [B]], unacceptable: [], cannot_judge: '', seconds_spent: expect.any(Number) },
    ])
  })

  it('is made by letters, with ties and unacceptable ones', async () => {
    const { user } = open()

    await user.keyboard('b=dx1{Alt>}3{/Alt}{Enter}')

    expect(submitted()).toMatchObject([{ tiers: [[B, D]], unacceptable: [A, C] }])
  })

  it('is made by buttons, which say what they will do', async () => {
    const { user } = open()

    await user.click(button('Rank 1st: Response D'))
    await user.click(button('= Also 1st: Response B'))
    await user.click(button('Unacceptable: Response A'))
    await user.click(button('Rank 2nd: Response C'))
    await user.click(submitButton())

    expect(submitted()).toMatchObject([{ tiers: [[D, B], [C]], unacceptable: [A] }])
  })

  it('shows each response with its standing', async () => {
    const { user } = open()

    await user.keyboard('2{Shift>}3{/Shift}{Alt>}4{/Alt}')

    const card = (letter: string) => screen.getByRole('article', { name: new RegExp(`Response ${letter}`) })
    expect(card('A').textContent).toContain('Rank 2nd')
    expect(card('B').textContent).toContain('1sttied')
    expect(card('C').textContent).toContain('1sttied')
    expect(card('D').getAttribute('data-state')).toBe('unacceptable')
  })

  it('is taken back step by step, and done again', async () => {
    const { user } = open()

    await user.keyboard('12{Backspace}')
    expect(said()).toBe('A. 3 left')
    await user.click(button('Redo'))

    expect(said()).toBe('A > B. 2 left')
  })

  it('waits on the device when the page goes away', async () => {
    const { user, unmount } = open()
    await user.keyboard('42')
    unmount()

    const again = open()
    await again.user.keyboard('1{Enter}')

    expect(submitted()).toMatchObject([{ tiers: [[D], [B], [A], [C]] }])
  })

  it('is not handed in again and again by a key held down', async () => {
    const { user } = open()

    await user.keyboard('123{Enter>3/}')

    expect(onSubmit).toHaveBeenCalledTimes(1)
  })

  it('needs no single keys from those who switched them off', async () => {
    prefer({ single_keys: false })
    const { user } = open()

    await user.keyboard('1')
    expect(said()).not.toBe('A. 3 left')
    await user.click(button('Rank 1st: Response B'))

    expect(said()).toBe('B. 3 left')
  })
})

describe('instead of a ranking', () => {
  it('a labeler says why nothing can be judged', async () => {
    const { user } = open()

    await user.keyboard('u')
    const dialog = await screen.findByRole('dialog')
    expect(within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Submit' }).disabled).toBe(true)
    await user.click(within(dialog).getByLabelText('The facts cannot be checked'))
    await user.type(within(dialog).getByRole('textbox'), 'No sources, 1 2 3.')
    await user.click(within(dialog).getByRole('button', { name: 'Submit' }))

    expect(submitted()).toMatchObject([{ tiers: [], unacceptable: [], cannot_judge: 'facts: No sources, 1 2 3.' }])
  })

  it('a labeler skips, with a reason in their own words where no other fits', async () => {
    const { user } = open()

    await user.click(button('Skip'))
    const dialog = await screen.findByRole('dialog')
    await user.click(within(dialog).getByLabelText('Another reason'))
    expect(within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Skip' }).disabled).toBe(true)
    await user.type(within(dialog).getByRole('textbox'), 'I wrote one of these.')
    await user.click(within(dialog).getByRole('button', { name: 'Skip' }))

    expect(onSkip).toHaveBeenCalledWith('other: I wrote one of these.')
    expect(onSubmit).not.toHaveBeenCalled()
  })
})

describe('a ranking that the server takes no more', () => {
  it('keeps what was ranked in sight and cannot be handed in', async () => {
    const { user, unmount } = open()
    await user.keyboard('123')
    unmount()

    const again = open(true)
    await again.user.keyboard('{Enter}')

    expect(screen.getByRole('list', { name: 'Ranking so far, best first' }).textContent).toContain('A')
    expect(submitButton().disabled).toBe(true)
    expect(onSubmit).not.toHaveBeenCalled()
  })
})
