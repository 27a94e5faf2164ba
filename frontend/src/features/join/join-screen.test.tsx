import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { answerWith } from '@/testing/network'
import { showAt } from '@/testing/query'

import JoinScreen from './join-screen'

const VERA = { id: 9, username: 'vera', display_name: 'Vera', role: 'labeler' as const, preferences: {} }
const INVITATION = {
  role: 'labeler',
  name: 'Vera',
  email: '',
  invited_by: 'Rhea',
  expires_at: '2026-12-01T12:00:00Z',
  password_rules: ['At least 10 characters.'],
}

beforeEach(() => {
  location.hash = 'secret'
})

function open(accepted: { status: number; body: unknown }, found: { status?: number; body: unknown } = { body: INVITATION }) {
  const asked = answerWith(({ path }) => (path === '/api/invitations/find' ? found : accepted))
  const onJoined = vi.fn()
  const { location: place } = showAt('/join', <JoinScreen person={null} onJoined={onJoined} />)
  return { asked, onJoined, place }
}

async function fillIn() {
  await userEvent.type(await screen.findByLabelText('User name'), 'vera')
  await userEvent.type(screen.getByLabelText('Password'), 'three blue boats')
  await userEvent.click(screen.getByRole('button', { name: 'Make my account' }))
}

describe('an invitation', () => {
  it('tells who invites, and what the password must be like', async () => {
    open({ status: 201, body: VERA })

    expect(await screen.findByText(/Rhea invites you as a labeler/)).toBeTruthy()
    expect(screen.getByText('At least 10 characters.')).toBeTruthy()
    expect(screen.getByLabelText<HTMLInputElement>('Your name').value).toBe('Vera')
  })

  it('makes the account, and leaves no secret in the address', async () => {
    const { asked, onJoined, place } = open({ status: 201, body: VERA })

    await fillIn()

    await waitFor(() => expect(onJoined).toHaveBeenCalledWith(VERA))
    expect(asked.at(-1)?.body).toEqual({ token: 'secret', username: 'vera', name: 'Vera', password: 'three blue boats' })
    expect(place.history?.at(-1)).toBe('/')
  })

  it('keeps what was typed when the password is too weak', async () => {
    const { onJoined } = open({ status: 400, body: { code: 'weak_password', detail: 'This password is too common.' } })

    await fillIn()

    expect((await screen.findByRole('alert')).textContent).toBe('This password is too common.')
    expect(screen.getByLabelText<HTMLInputElement>('User name').value).toBe('vera')
    expect(onJoined).not.toHaveBeenCalled()
  })

  it('that is over says so in place of the form', async () => {
    open({ status: 201, body: VERA }, { status: 409, body: { code: 'invitation_closed', detail: 'It has expired.' } })

    expect((await screen.findByRole('alert')).textContent).toBe('It has expired.')
    expect(screen.queryByLabelText('Password')).toBeNull()
  })

  it('asks whoever is signed in to sign out first', () => {
    showAt('/join', <JoinScreen person={VERA} onJoined={vi.fn()} />)

    expect(screen.getByText(/You are signed in as Vera/)).toBeTruthy()
  })
})
