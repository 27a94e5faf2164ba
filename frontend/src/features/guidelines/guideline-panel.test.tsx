import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it } from 'vitest'

import { closeGuideline, type GuidelineView, openGuideline } from '@/shared/guideline-panel'
import { answerWith } from '@/testing/network'
import { showAt } from '@/testing/query'
import { sampleCampaign } from '@/testing/samples'

import GuidelinePanel from './guideline-panel'
import { comparedWith } from './versions'

const TEXTS = ['', 'Be kind.', 'Be kind and brief.', 'Be kind, brief and right. Be right first.']

const version = (number: number, acknowledged_at: string | null = null) => ({
  version: number,
  published_at: '2026-11-24T12:00:00Z',
  acknowledged_at,
})

beforeEach(closeGuideline)

function open(view: GuidelineView, read: number[] = [1]) {
  const asked = answerWith(({ path, method }) => {
    const number = Number(/guidelines\/(\d)/.exec(path)?.[1])
    if (method === 'POST') read.push(number)
    if (number) return { body: { ...version(number), text: TEXTS[number] } }
    return { body: [3, 2, 1].map((one) => version(one, read.includes(one) ? '2026-11-24T13:00:00Z' : null)) }
  })
  openGuideline(view)
  showAt('/rank/1', <GuidelinePanel campaign={sampleCampaign(1, { guideline_version: 3 })} />)
  return asked
}

describe('the guideline beside the task', () => {
  it('compares the current version with the last one that was read', async () => {
    open('changes')

    expect(await screen.findByText('What changed since version 1:')).toBeTruthy()
    await waitFor(() => expect(document.querySelectorAll('ins').length).toBeGreaterThan(0))
  })

  it('is acknowledged once', async () => {
    const asked = open('text')
    await userEvent.click(await screen.findByRole('button', { name: 'I have read version 3' }))

    expect(await screen.findByText(/^You read version 3/)).toBeTruthy()
    expect(asked.filter(({ method }) => method === 'POST').map(({ path }) => path)).toEqual([
      '/api/campaigns/1/guidelines/3/acknowledgement',
    ])
    expect(screen.queryByRole('button', { name: /^I have read/ })).toBeNull()
  })

  it('shows old versions, which nobody is asked to acknowledge', async () => {
    open('text')
    expect(await screen.findByText(/Be right first/)).toBeTruthy()

    await userEvent.selectOptions(screen.getByLabelText('Version'), '2')

    expect(await screen.findByText('Be kind and brief.')).toBeTruthy()
    expect(screen.getByText('This is an old version. Version 3 counts now.')).toBeTruthy()
    expect(screen.queryByRole('button', { name: /^I have read/ })).toBeNull()
  })

  it('counts what is found and goes round', async () => {
    open('text')
    expect(await screen.findByText(/Be right first/)).toBeTruthy()
    const find = within(screen.getByRole('search'))

    await userEvent.type(find.getByLabelText('Find in the guideline'), 'RIGHT')
    expect(await find.findByText('1 of 2')).toBeTruthy()
    await userEvent.keyboard('{Enter}{Enter}{Shift>}{Enter}{/Shift}')
    expect(find.getByText('2 of 2')).toBeTruthy()
    await userEvent.type(find.getByLabelText('Find in the guideline'), 'er')
    expect(find.getByText('Not found')).toBeTruthy()
    await userEvent.keyboard('{Escape}')

    expect((find.getByLabelText('Find in the guideline') as HTMLInputElement).value).toBe('')
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('complementary')).toBeNull())
  })
})

describe('the version to compare with', () => {
  it('is the last one that was read before it, else the one before, else none', () => {
    const read = '2026-11-24T13:00:00Z'
    expect(comparedWith([version(3), version(2), version(1, read)], 3)).toBe(1)
    expect(comparedWith([version(3, read), version(2), version(1)], 3)).toBe(2)
    expect(comparedWith([version(3), version(2), version(1, read)], 1)).toBeNull()
  })
})
