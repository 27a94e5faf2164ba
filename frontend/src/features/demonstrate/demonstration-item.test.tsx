import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import type { Demonstration } from '@/api'
import { outboxOf } from '@/components/outbox'
import { keepDraft } from '@/shared/drafts'
import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'
import { sampleDemonstration } from '@/testing/samples'

import { DemonstrationItem } from './demonstration-item'

const ADA = 7
const onSubmitted = vi.fn()

function open(demonstration: Demonstration = sampleDemonstration(1)) {
  const shown = show(
    <DemonstrationItem demonstration={demonstration} person={ADA} onSubmitted={onSubmitted} onSkip={() => Promise.resolve()} onSignedOut={() => undefined} />,
  )
  return { user: userEvent.setup({ advanceTimers: vi.advanceTimersByTime }), ...shown }
}

const turn = (place: number) => screen.getByLabelText<HTMLTextAreaElement>(new RegExp(`^Turn ${place}:`))
const roles = () => screen.getAllByRole('textbox').map((field) => field.getAttribute('aria-label'))
const submitButton = () => screen.getByRole<HTMLButtonElement>('button', { name: /^Submit/ })

beforeEach(() => {
  vi.clearAllMocks()
  vi.useFakeTimers({ shouldAdvanceTime: true })
})

describe('writing a demonstration', () => {
  it('begins with an empty answer to the prompt', () => {
    open()

    expect(roles()).toEqual(['Turn 1: You, as the assistant'])
    expect(turn(1).value).toBe('')
    expect(screen.getByText(/why is my soup flat/)).toBeTruthy()
  })

  it('hands in nothing empty, and points at what is', async () => {
    const all = answerWith(() => ({ body: {} }))
    const { user } = open()

    await user.type(turn(1), 'Salt.')
    await user.click(screen.getByRole('button', { name: 'Add a turn of the user' }))
    await user.click(submitButton())

    expect(screen.getByText('Write something here, or remove this turn.')).toBeTruthy()
    expect(all.filter(({ path }) => path.endsWith('/submission'))).toEqual([])
  })

  it('lets the assistant have the last word', async () => {
    const { user } = open()

    await user.type(turn(1), 'Salt.')
    await user.keyboard('{Alt>}n{/Alt}')
    await user.type(turn(2), 'And then?')
    await user.click(submitButton())

    expect(screen.getByText(/The assistant has the last word/)).toBeTruthy()
  })

  it('is handed in from the text field, and the next one comes', async () => {
    const next = sampleDemonstration(2)
    const all = answerWith(() => ({ status: 201, body: { demonstration: sampleDemonstration(1), next } }))
    const { user } = open()

    await user.type(turn(1), 'Brown the **onions**.')
    await user.keyboard('{Control>}{Enter}{/Control}')

    await waitFor(() => expect(onSubmitted).toHaveBeenCalledWith(next))
    expect(all.at(-1)).toMatchObject({
      path: '/api/demonstrations/1/submission',
      body: { turns: [{ role: 'assistant', content: 'Brown the **onions**.' }], seconds_spent: expect.any(Number) },
    })
    expect(localStorage).toHaveLength(0)
  })

  it('is kept and sent later where nobody answers', async () => {
    let isReachable = false
    const all = answerWith(({ path }) => {
      if (!isReachable) throw new TypeError('Failed to fetch')
      return path.endsWith('/submission') ? { status: 201, body: { demonstration: sampleDemonstration(1), next: null } } : { body: sampleDemonstration(1) }
    })
    const keys = () => all.filter(({ path }) => path.endsWith('/submission')).map(({ body }) => (body as { idempotency_key: string }).idempotency_key)
    const { user } = open()
    await user.type(turn(1), 'Salt.')

    await user.click(submitButton())
    await waitFor(() => expect(onSubmitted).toHaveBeenCalledWith(null))
    isReachable = true
    await vi.advanceTimersByTimeAsync(5000)

    expect(outboxOf(ADA).snapshot().items).toEqual([])
    expect(keys().length).toBeGreaterThan(1)
    expect(new Set(keys()).size).toBe(1)
  })

  it('stays on screen with the words of who refused it, to be changed', async () => {
    answerWith(({ path }) =>
      path.endsWith('/submission')
        ? { status: 400, body: { code: 'text_too_long', detail: 'The text is too long.' } }
        : { body: sampleDemonstration(1) },
    )
    const { user } = open()
    await user.type(turn(1), 'Salt.')

    await user.click(submitButton())

    expect((await screen.findByRole('alert')).textContent).toContain('too long')
    expect(turn(1).value).toBe('Salt.')
    expect(onSubmitted).not.toHaveBeenCalled()
    await waitFor(() => expect(outboxOf(ADA).snapshot().items).toEqual([]))
  })

  it('shows what the Markdown means when asked', async () => {
    const { user } = open()

    await user.type(turn(1), 'Brown the **onions**.')
    await user.click(screen.getByRole('button', { name: 'Preview' }))

    expect(screen.getByText('onions').localName).toBe('strong')
  })

  it('gives back what was removed', async () => {
    const { user } = open(sampleDemonstration(1, { turns: [{ role: 'assistant', content: 'Salt.' }, { role: 'user', content: 'Why?' }] }))

    await user.click(screen.getByRole('button', { name: 'Remove this turn' }))
    expect(roles()).toHaveLength(1)
    await user.click(screen.getByRole('button', { name: 'Undo' }))
    expect(turn(2).value).toBe('Why?')

    await user.click(screen.getByRole('button', { name: 'Remove this turn' }))
    await user.click(screen.getByText('1 removed turn'))
    await user.click(screen.getByRole('button', { name: 'Bring it back' }))
    expect(turn(2).value).toBe('Why?')
  })
})

const CONVERSATION = [{ role: 'assistant', content: 'Salt.' }, { role: 'user', content: 'Why?' }, { role: 'assistant', content: 'For taste.' }] as const
const texts = () => screen.getAllByRole<HTMLTextAreaElement>('textbox').map(({ value }) => value)

describe('turns that change place', () => {
  it('are moved by key, keep the focus, and are not handed in out of turn', async () => {
    const all = answerWith(() => ({ body: sampleDemonstration(1) }))
    const { user } = open(sampleDemonstration(1, { turns: [...CONVERSATION] }))

    await user.click(turn(2))
    await user.keyboard('{Alt>}{ArrowUp}{/Alt}')
    await vi.advanceTimersByTimeAsync(50)
    expect(texts()).toEqual(['Why?', 'Salt.', 'For taste.'])
    expect(document.activeElement).toBe(turn(1))
    await user.keyboard('{Control>}{Enter}{/Control}')

    expect(screen.getByText(/Here it is the assistant’s turn/)).toBeTruthy()
    expect(screen.getByText(/must take turns/)).toBeTruthy()
    expect(all.filter(({ path }) => path.endsWith('/submission'))).toEqual([])
  })

  it('are handed in once the roles are right again', async () => {
    const all = answerWith(() => ({ status: 201, body: { demonstration: sampleDemonstration(1), next: null } }))
    const { user } = open(sampleDemonstration(1, { turns: [...CONVERSATION] }))

    await user.click(screen.getByRole('button', { name: 'Move turn 2 down' }))
    await user.click(screen.getByRole('button', { name: 'Let the user say it' }))
    await user.click(screen.getByRole('button', { name: 'Let the assistant say it' }))
    await user.click(submitButton())

    await waitFor(() => expect(onSubmitted).toHaveBeenCalled())
    expect(all.at(-1)!.body).toMatchObject({
      turns: [CONVERSATION[0], { role: 'user', content: 'For taste.' }, { role: 'assistant', content: 'Why?' }],
    })
  })

  it('go back by a key outside of the text, which keeps its own undo', async () => {
    const { user } = open(sampleDemonstration(1, { turns: [...CONVERSATION] }))

    await user.click(screen.getByRole('button', { name: 'Move turn 1 down' }))
    await user.type(turn(1), ' Really?')
    await user.keyboard('{Control>}z{/Control}')
    expect(texts()[1]).toBe('Salt.')
    screen.getByRole('heading', { level: 1 }).focus()
    await user.keyboard('{Control>}z{/Control}')

    expect(texts()).toEqual(['Salt.', 'Why? Really?', 'For taste.'])
  })

  it('that were removed are still there after a reload', async () => {
    const written = sampleDemonstration(1, { turns: [...CONVERSATION] })
    const { user, unmount } = open(written)
    await user.click(screen.getByRole('button', { name: 'Remove this turn' }))

    unmount()
    open(written)
    await user.click(screen.getByText('1 removed turn'))
    await user.click(screen.getByRole('button', { name: 'Bring it back' }))

    expect(texts()).toEqual(['Salt.', 'Why?', 'For taste.'])
  })
})

describe('a campaign with a checklist', () => {
  const checked = () => sampleDemonstration(1, { checklist: ['It says how long.', 'It is kind.'], turns: [CONVERSATION[0]] })

  it('gets nothing before all is ticked, and says what is missing', async () => {
    const all = answerWith(() => ({ status: 201, body: { demonstration: checked(), next: null } }))
    const { user } = open(checked())

    await user.click(screen.getByLabelText('It is kind.'))
    await user.click(submitButton())
    await vi.advanceTimersByTimeAsync(50)
    expect(screen.getByRole('alert').textContent).toContain('one point')
    expect(document.activeElement).toBe(screen.getByLabelText('It says how long.'))
    expect(all).toEqual([])
    await user.keyboard(' ')
    await user.click(submitButton())

    await waitFor(() => expect(onSubmitted).toHaveBeenCalled())
    expect(Object.keys(all.at(-1)!.body as object).sort()).toEqual(['idempotency_key', 'seconds_spent', 'turns'])
    expect(localStorage).toHaveLength(0)
  })

  it('finds the ticks again after a reload', async () => {
    const { user, unmount } = open(checked())
    await user.click(screen.getByLabelText('It is kind.'))

    unmount()
    open(checked())

    expect(screen.getByLabelText<HTMLInputElement>('It is kind.').checked).toBe(true)
    expect(screen.getByLabelText<HTMLInputElement>('It says how long.').checked).toBe(false)
  })
})

describe('a suggestion', () => {
  it('is not offered where there is none', () => {
    open()

    expect(screen.queryByRole('button', { name: 'Show a suggestion' })).toBeNull()
  })

  it('is put where nothing is written, to be edited, and says before what asking means', async () => {
    answerWith(() => ({ body: { text: 'Boil it.' } }))
    const { user } = open(sampleDemonstration(1, { can_suggest: true }))
    const button = screen.getByRole('button', { name: 'Show a suggestion' })

    expect(document.getElementById(button.getAttribute('aria-describedby')!)!.textContent).toContain('marked')
    await user.click(button)

    await waitFor(() => expect(turn(1).value).toBe('Boil it.'))
    expect(screen.getByText('The suggestion that you were shown')).toBeTruthy()
  })

  it('replaces nothing unless it is told to, and then keeps what was there', async () => {
    answerWith(() => ({ body: { text: 'Boil it.' } }))
    const { user } = open(sampleDemonstration(1, { can_suggest: true, turns: [CONVERSATION[0]] }))

    await user.click(screen.getByRole('button', { name: 'Show a suggestion' }))
    await screen.findByText('Boil it.')
    expect(turn(1).value).toBe('Salt.')
    await user.click(screen.getByRole('button', { name: 'Begin with it' }))

    expect(turn(1).value).toBe('Boil it.')
    expect(screen.getByText('1 removed turn')).toBeTruthy()
  })

  it('that is refused says why', async () => {
    answerWith(() => ({ status: 409, body: { code: 'no_suggestion', detail: 'You hold a ranking.' } }))
    const { user } = open(sampleDemonstration(1, { can_suggest: true }))

    await user.click(screen.getByRole('button', { name: 'Show a suggestion' }))

    expect((await screen.findByRole('alert')).textContent).toBe('You hold a ranking.')
  })
})

describe('a demonstration that was returned', () => {
  it('tells its author why, above what they wrote', () => {
    open(sampleDemonstration(1, { returned_because: 'Say how long.', turns: [{ role: 'assistant', content: 'Boil it.' }] }))

    expect(screen.getByRole('region', { name: /returned this to you/ }).textContent).toContain('Say how long.')
    expect(turn(1).value).toBe('Boil it.')
  })

  it('is told from one that was not', () => {
    open()

    expect(screen.queryByText(/returned this to you/)).toBeNull()
  })
})

describe('a draft of a demonstration', () => {
  it('is on this device at once and at the server when the writer pauses', async () => {
    const all = answerWith(() => ({ body: sampleDemonstration(1, { revision: 1 }) }))
    const { user } = open()

    await user.type(turn(1), 'Half')
    expect(screen.getByText('Saved on this device')).toBeTruthy()
    expect(localStorage.getItem('rankwright.draft.demonstration.7.1')).toContain('"Half"')
    await vi.advanceTimersByTimeAsync(2000)

    expect(await screen.findByText('Draft saved')).toBeTruthy()
    expect(all).toMatchObject([{ method: 'PUT', path: '/api/demonstrations/1/draft', body: { revision: 0, turns: [{ content: 'Half' }] } }])
  })

  it('is tried again after the server was away', async () => {
    let isReachable = false
    answerWith(() => {
      if (!isReachable) throw new TypeError('Failed to fetch')
      return { body: sampleDemonstration(1, { revision: 1 }) }
    })
    const { user } = open()
    await user.type(turn(1), 'Half')
    await vi.advanceTimersByTimeAsync(2000)
    expect(await screen.findByText(/Saved on this device only/)).toBeTruthy()

    isReachable = true
    await vi.advanceTimersByTimeAsync(20_000)

    expect(await screen.findByText('Draft saved')).toBeTruthy()
  })

  it('on this device goes on from the one at the server', () => {
    keepDraft({ kind: 'demonstration', person: ADA, id: 1 }, { turns: [{ role: 'assistant', content: 'Half an answer' }], revision: 3 })

    open(sampleDemonstration(1, { revision: 3, turns: [{ role: 'assistant', content: 'Half' }] }))

    expect(turn(1).value).toBe('Half an answer')
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('that parted from the one at the server asks which is meant, and hands in neither', async () => {
    keepDraft({ kind: 'demonstration', person: ADA, id: 1 }, { turns: [{ role: 'assistant', content: 'Written here.' }], revision: 2 })
    const { user } = open(sampleDemonstration(1, { revision: 3, turns: [{ role: 'assistant', content: 'Written there.' }] }))

    expect(turn(1).value).toBe('Written here.')
    expect(submitButton().disabled).toBe(true)
    expect(screen.getByRole('region', { name: 'The other version' }).textContent).toContain('Written there.')
    await user.click(screen.getByRole('button', { name: 'The other one' }))

    expect(turn(1).value).toBe('Written there.')
    expect(submitButton().disabled).toBe(false)
  })

  it('that another tab overtook is not written over', async () => {
    const theirs = sampleDemonstration(1, { revision: 5, turns: [{ role: 'assistant', content: 'Written there.' }] })
    const all = answerWith(({ method, body }) => {
      if (method === 'POST') return { body: { demonstration: theirs } }
      const isStale = (body as { revision: number }).revision < 5
      return isStale ? { status: 409, body: { code: 'stale_revision', detail: 'Changed.' } } : { body: { ...theirs, revision: 6 } }
    })
    const { user } = open()
    await user.type(turn(1), 'Written here.')
    await vi.advanceTimersByTimeAsync(2000)
    expect((await screen.findByRole('alert')).textContent).toContain('also changed in another tab')

    await user.click(screen.getByRole('button', { name: 'The one shown here' }))
    await vi.advanceTimersByTimeAsync(2000)

    expect(await screen.findByText('Draft saved')).toBeTruthy()
    expect(all.at(-1)).toMatchObject({ method: 'PUT', body: { revision: 5, turns: [{ content: 'Written here.' }] } })
  })
})
