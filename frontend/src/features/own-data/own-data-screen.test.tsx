import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it } from 'vitest'

import type { OwnData } from '@/api'
import { answerWith, type Asked } from '@/testing/network'
import { show } from '@/testing/render'

import OwnDataScreen from './own-data-screen'

const MORNING = '2026-11-24T12:00:00Z'

const recorded = (): OwnData => ({
  account: { username: 'ada', first_name: 'Ada', last_name: '', email: '', date_joined: MORNING, last_login: null },
  campaigns: [
    { id: 7, name: 'Kitchen', retention_days: 30, rankings: 12, demonstrations: 3, drafts: 1, skips: 0 },
  ],
  consents: [
    { id: 2, campaign: 7, campaign_name: 'Kitchen', version: 2, text: 'We keep it.', given_at: MORNING, withdrawn_at: null },
    { id: 1, campaign: 7, campaign_name: 'Kitchen', version: 1, text: 'Older.', given_at: MORNING, withdrawn_at: null },
    { id: 3, campaign: 8, campaign_name: 'Garden', version: 1, text: 'No.', given_at: MORNING, withdrawn_at: MORNING },
  ],
  erasure: null,
})

describe('my data', () => {
  let data: OwnData
  let asked: Asked[]
  const sent = () => asked.filter(({ method }) => method !== 'GET').map(({ method, path, body }) => [method, path, body])

  beforeEach(() => {
    data = recorded()
    asked = answerWith(({ method, path, body }) => {
      if (path === '/api/me/erasure') {
        const { mode } = (body ?? {}) as { mode: 'removed' | 'anonymised' }
        data = { ...data, erasure: method === 'POST' ? { mode, asked_at: MORNING, approved_at: null } : null }
      }
      return { body: path.endsWith('/consent') ? {} : data }
    })
    show(
      <QueryClientProvider client={new QueryClient()}>
        <OwnDataScreen />
      </QueryClientProvider>,
    )
  })

  it('counts what is recorded, and says how long it is tied to me', async () => {
    const row = await screen.findByRole('row', { name: /Kitchen/ })

    expect(within(row).getAllByRole('cell').map((cell) => cell.textContent)).toEqual(['12', '3', '1', '0'])
    expect(screen.getByText(/older than 30 days/)).toBeTruthy()
    expect(screen.getByRole('link', { name: /Download/ }).getAttribute('href')).toBe('/api/me/contributions')
  })

  it('offers once for a campaign to withdraw what still stands', async () => {
    expect(await screen.findAllByText(/, version/)).toHaveLength(3)

    expect(screen.getAllByRole('button', { name: /Withdraw/ }).map((button) => button.ariaLabel)).toEqual([
      'Withdraw your consent: Kitchen',
    ])
  })

  it.each([
    ['Keep it as it is', []],
    ['Remove it: erase my account', [['POST', '/api/me/erasure', { mode: 'removed' }]]],
    ['Keep it without my name: erase my account', [['POST', '/api/me/erasure', { mode: 'anonymised' }]]],
  ])('withdraws, and does with past work as chosen: %s', async (choice, wish) => {
    const user = userEvent.setup()
    await user.click(await screen.findByRole('button', { name: /Withdraw/ }))
    const dialog = within(await screen.findByRole('dialog'))
    const withdraw = dialog.getByRole<HTMLButtonElement>('button', { name: 'Withdraw' })
    expect(withdraw.disabled).toBe(true)

    await user.click(dialog.getByLabelText(choice))
    await user.click(withdraw)

    await expect.poll(sent).toEqual([['DELETE', '/api/campaigns/7/consent', null], ...wish])
  })

  it('asks for erasure only with a choice and a tick, and takes it back', async () => {
    const user = userEvent.setup()
    const ask = await screen.findByRole<HTMLButtonElement>('button', { name: 'Ask for erasure' })
    await user.click(screen.getByRole('radio', { name: /Remove it/ }))
    expect(ask.disabled).toBe(true)

    await user.click(screen.getByRole('checkbox'))
    await user.click(ask)
    await user.click(await screen.findByRole('button', { name: 'Take it back' }))

    expect(await screen.findByRole('button', { name: 'Ask for erasure' })).toBeTruthy()
    expect(sent()).toEqual([
      ['POST', '/api/me/erasure', { mode: 'removed' }],
      ['DELETE', '/api/me/erasure', null],
    ])
  })
})
