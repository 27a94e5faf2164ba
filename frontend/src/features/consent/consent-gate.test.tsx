import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it } from 'vitest'

import { claimAssignments, type Consent } from '@/api'
import { answerWith, type Asked } from '@/testing/network'
import { show } from '@/testing/render'

import { ConsentGate } from './consent-gate'

/** A server with one campaign, whose text is in this version. */
class Server {
  version: number | null = 1
  agreed: number | null = null

  answer = ({ method, path, body }: Asked) => {
    if (path.endsWith('/assignments')) {
      return this.consent().is_needed
        ? { status: 409, body: { code: 'consent_needed', detail: 'Read what you agree to.' } }
        : { body: { assignments: [] } }
    }
    if (method === 'POST') {
      if ((body as { version: number }).version !== this.version) {
        return { status: 409, body: { code: 'consent_outdated', detail: 'There is a newer text.' } }
      }
      this.agreed = this.version
    }
    return { body: this.consent() }
  }

  private consent(): Consent {
    const { version, agreed } = this
    const text = version && { version, text: `We **keep** it, v${version}.`, published_at: '2026-11-24T12:00:00Z' }
    return { text: text || null, agreed_version: agreed, given_at: null, is_needed: version !== null && agreed !== version }
  }
}

describe('the gate before the work', () => {
  let server: Server
  let asked: Asked[]

  beforeEach(() => {
    server = new Server()
    asked = answerWith(server.answer)
  })

  function enter() {
    show(
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <ConsentGate campaign={7} name="Kitchen"><p>The work</p></ConsentGate>
      </QueryClientProvider>,
    )
  }

  const theWork = () => screen.findByText('The work')
  const theBox = () => screen.findByRole<HTMLInputElement>('checkbox')
  const theButton = () => screen.getByRole('button', { name: 'Agree and start' })

  it('is open where nothing is asked', async () => {
    server.version = null

    enter()

    expect(await theWork()).toBeTruthy()
  })

  it('is open to who agreed to this version', async () => {
    server.agreed = 1

    enter()

    expect(await theWork()).toBeTruthy()
  })

  it('asks, with nothing ticked beforehand and nothing sent unticked', async () => {
    const user = userEvent.setup()
    enter()

    expect((await theBox()).checked).toBe(false)
    await user.click(theButton())
    await user.keyboard('{Enter}')

    expect(screen.queryByText('The work')).toBeNull()
    expect(asked.filter(({ method }) => method === 'POST')).toEqual([])
    expect(screen.getByText('keep').tagName).toBe('STRONG')
  })

  it('opens by keyboard alone', async () => {
    const user = userEvent.setup()
    enter()
    const box = await theBox()
    expect(document.activeElement?.tagName).toBe('H1')

    while (document.activeElement !== box) await user.tab()
    await user.keyboard(' ')
    await user.tab()
    await user.keyboard('{Enter}')

    expect(await theWork()).toBeTruthy()
    expect(asked.at(-1)).toMatchObject({ method: 'POST', path: '/api/campaigns/7/consent', body: { version: 1 } })
  })

  it('shows a newer text that came while this one was read, unticked', async () => {
    const user = userEvent.setup()
    enter()
    await user.click(await theBox())
    server.version = 2

    await user.click(theButton())

    expect(await screen.findByText(/v2/)).toBeTruthy()
    expect((await theBox()).checked).toBe(false)
    expect(screen.getByRole('alert').textContent).toBe('There is a newer text.')
  })

  it('closes when the server asks for consent again', async () => {
    server.agreed = 1
    enter()
    await theWork()
    server.version = 2

    await claimAssignments(7, { count: 1, holding: [] }).catch(() => undefined)

    expect(await screen.findByText(/you agreed to version 1/)).toBeTruthy()
    await waitFor(() => expect(screen.queryByText('The work')).toBeNull())
  })
})
