import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { adoptPreferences, readPreferences } from '@/shared/preferences'
import { show } from '@/testing/render'

import SettingsScreen from './settings-screen'

const ADA = 7
const send = vi.fn()

beforeEach(() => {
  send.mockReset().mockResolvedValue(undefined)
  adoptPreferences(ADA, {}, send)
})

function open() {
  show(<SettingsScreen />)
  return { user: userEvent.setup() }
}

const button = (name: RegExp | string) => screen.getByRole<HTMLButtonElement>('button', { name })
const change = (command: string) => button(`Change the keys of: ${command}`)
const keysOf = (command: string) => within(change(command).closest('li')!).getAllByText(/./, { selector: 'kbd' }).map((key) => key.textContent)

describe('a choice', () => {
  it('holds at once, is told to the server and can be taken back', async () => {
    const { user } = open()

    await user.click(screen.getByLabelText('Dark'))
    await user.click(screen.getByLabelText('18 px'))
    expect(readPreferences()).toMatchObject({ theme: 'dark', text_size: 18 })
    await user.click(button('Undo'))

    expect(readPreferences()).toMatchObject({ theme: 'dark', text_size: 16 })
    await vi.waitFor(() => expect(send.mock.calls.at(-1)).toEqual([{ text_size: 16 }]))
    await user.keyboard('{Control>}z{/Control}')
    expect(readPreferences().theme).toBe('system')
  })

  it('that the server has not heard says so', async () => {
    send.mockRejectedValue({ isTemporary: true })
    const { user } = open()

    await user.click(screen.getByLabelText('Compact'))

    expect((await screen.findByText(/Kept on this device/)).getAttribute('role')).toBe('status')
  })
})

describe('a number', () => {
  it('is kept when it is whole, and refused in words when it is none', async () => {
    const { user } = open()
    const goal = screen.getByLabelText<HTMLInputElement>('Daily goal')

    await user.clear(goal)
    await user.type(goal, '80')
    expect(readPreferences().daily_goal).toBe(0)
    await user.tab()
    expect(readPreferences().daily_goal).toBe(80)
    await user.clear(goal)
    await user.type(goal, 'many{Enter}')

    expect(screen.getByText('A whole number from 0 to 2000')).toBeTruthy()
    expect(readPreferences().daily_goal).toBe(80)
  })
})

describe('the keys of a command', () => {
  it('are those that are pressed for it', async () => {
    const { user } = open()

    await user.click(change('Skip, with a reason'))
    await user.keyboard('z')

    expect(keysOf('Skip, with a reason')).toEqual(['Z'])
    expect(readPreferences().keys).toEqual({ 'rank.skip': ['Z'] })
  })

  it('are refused in words where another has them, and asked for again', async () => {
    const { user } = open()

    await user.click(change('Skip, with a reason'))
    await user.keyboard('u')
    expect(screen.getByRole('alert').textContent).toContain('U already does this: Cannot judge, with a reason')
    await user.keyboard('{Control>}t{/Control}')
    expect(screen.getByRole('alert').textContent).toContain('Ctrl + T belongs to the browser')
    await user.keyboard('z')

    expect(screen.queryByRole('alert')).toBeNull()
    expect(keysOf('Skip, with a reason')).toEqual(['Z'])
  })

  it('stay what they are after Escape, and while a word is composed', async () => {
    const { user } = open()

    await user.click(change('Skip, with a reason'))
    document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', code: 'KeyZ', isComposing: true, bubbles: true }))
    await user.keyboard('{Escape}z')

    expect(keysOf('Skip, with a reason')).toEqual(['S'])
  })

  it('come back one by one, or all at once', async () => {
    const { user } = open()
    await user.click(change('Skip, with a reason'))
    await user.keyboard('z')
    await user.click(change('Accept'))
    await user.keyboard('p')

    await user.click(button('Reset the keys of: Skip, with a reason'))
    expect(document.activeElement).toBe(change('Skip, with a reason'))
    expect([keysOf('Skip, with a reason'), keysOf('Accept')]).toEqual([['S'], ['P']])
    await user.click(button('Reset all keys'))

    expect(readPreferences().keys).toEqual({})
  })
})
