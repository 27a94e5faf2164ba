import type { QueryClient } from '@tanstack/react-query'
import { act, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { sampleCampaign } from '@/testing/samples'
import { showAt } from '@/testing/query'

import { GuidelineNews } from './guideline-news'

const CHANGED = /guideline has changed/

function open(id: number, changes: { guideline_version: number; acknowledged_version: number }) {
  return showAt('/rank', <GuidelineNews campaign={id} />, { campaigns: [sampleCampaign(id, changes)] })
}

/** The page hears how a campaign's guideline stands now. */
async function hear(queries: QueryClient, changes: { guideline_version: number; acknowledged_version: number }) {
  await act(async () => {
    queries.setQueryData(['campaigns'], [sampleCampaign(1, changes)])
    // Queries tell their screens in the next turn.
    await new Promise((resolve) => setTimeout(resolve))
  })
}

describe('the news of a guideline', () => {
  it('is told when an item comes on screen', () => {
    open(1, { guideline_version: 2, acknowledged_version: 1 })

    expect(screen.getByText(CHANGED)).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('never comes in the middle of an item, but with the next', async () => {
    const { queries, rerender } = open(1, { guideline_version: 2, acknowledged_version: 2 })

    await hear(queries, { guideline_version: 3, acknowledged_version: 2 })
    expect(screen.queryByText(CHANGED)).toBeNull()
    rerender(<></>)
    showAt('/rank', <GuidelineNews campaign={1} />, { campaigns: queries.getQueryData(['campaigns']) })

    expect(screen.getByText(CHANGED)).toBeTruthy()
  })

  it('does not come late where the page knew no campaign yet', async () => {
    const { queries } = showAt('/rank', <GuidelineNews campaign={1} />)

    await hear(queries, { guideline_version: 3, acknowledged_version: 2 })

    expect(screen.queryByText(CHANGED)).toBeNull()
  })

  it('goes when the guideline was read', async () => {
    const { queries } = open(1, { guideline_version: 4, acknowledged_version: 2 })

    await hear(queries, { guideline_version: 4, acknowledged_version: 4 })

    expect(screen.queryByText(CHANGED)).toBeNull()
  })

  it('put off is not told again for this version', async () => {
    const first = open(2, { guideline_version: 2, acknowledged_version: 1 })
    await userEvent.click(screen.getByRole('button', { name: 'Later' }))
    expect(screen.queryByText(CHANGED)).toBeNull()
    first.unmount()

    open(2, { guideline_version: 2, acknowledged_version: 1 })
    expect(screen.queryByText(CHANGED)).toBeNull()
    open(2, { guideline_version: 3, acknowledged_version: 1 })

    expect(screen.getByText(CHANGED)).toBeTruthy()
  })

  it('asks who never confirmed in other words, and nobody where there is no guideline', () => {
    open(3, { guideline_version: 1, acknowledged_version: 0 })
    expect(screen.getByText(/not confirmed yet/)).toBeTruthy()

    open(4, { guideline_version: 0, acknowledged_version: 0 })
    expect(screen.getAllByRole('status')).toHaveLength(1)
  })
})
