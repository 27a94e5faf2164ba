import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '@/api'
import { answerWith } from '@/testing/network'
import { show } from '@/testing/render'

import SignInAgain from './sign-in-again'

const ADA = { id: 1, username: 'ada', display_name: 'Ada', role: 'labeler', preferences: {} } as never
const SUSPENDED = { code: 'suspended', detail: 'Your account is suspended. Ask a researcher.' }
const SIGNED_OUT = { code: 'not_authenticated', detail: 'Sign in.' }

const ended = (told: { code: string; detail: string }) => new ApiError({ status: 403, ...told })

describe('whoever is suspended in the middle of the work', () => {
  it('is told so, and whom to ask, instead of being asked to sign in', () => {
    show(<SignInAgain person={ADA} ending={ended(SUSPENDED)} onSignedIn={vi.fn()} />)

    expect(screen.getByRole('alert').textContent).toBe(SUSPENDED.detail)
    expect(screen.queryByLabelText('Password')).toBeNull()
  })

  it('signs in once they are let in again', async () => {
    let told = SUSPENDED
    answerWith(() => ({ status: 403, body: told }))
    show(<SignInAgain person={ADA} ending={ended(SUSPENDED)} onSignedIn={vi.fn()} />)

    await userEvent.click(screen.getByRole('button', { name: 'Look again' }))
    expect(screen.queryByLabelText('Password')).toBeNull()
    told = SIGNED_OUT
    await userEvent.click(screen.getByRole('button', { name: 'Look again' }))

    expect(await screen.findByLabelText('Password')).toBeTruthy()
  })

  it('is told so as well when they try to sign in', async () => {
    answerWith(() => ({ status: 403, body: SUSPENDED }))
    show(<SignInAgain person={ADA} ending={ended(SIGNED_OUT)} onSignedIn={vi.fn()} />)

    await userEvent.type(screen.getByLabelText('Password'), 'correct horse')
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))

    expect((await screen.findByRole('alert')).textContent).toBe(SUSPENDED.detail)
  })
})
