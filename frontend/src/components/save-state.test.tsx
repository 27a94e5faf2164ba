import { screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'

import { show } from '@/testing/render'
import type { Item } from '@/shared/outbox-store'

import { SaveState, summaryOf } from './save-state'

const item = (key: string, isRefused = false): Item => ({
  key,
  person: 7,
  kind: 'ranking',
  target: key,
  path: '/rank/1',
  body: {},
  shown: null,
  at: 0,
  order: 1,
  refusal: isRefused ? { status: 409, code: 'lease_lost', detail: 'No.' } : null,
})

const state = (items: Item[], change: object = {}) => ({ items, sending: null, isUnreachable: false, isKept: true, ...change })

describe('the save state', () => {
  it.each([
    ['everything is stored', state([]), true, { kind: 'saved', count: 0 }],
    ['one is on its way', state([item('a')], { sending: 'a' }), true, { kind: 'saving', count: 1 }],
    ['the server is busy', state([item('a'), item('b')]), true, { kind: 'waiting', count: 2 }],
    ['there is no network', state([item('a'), item('b', true)]), false, { kind: 'offlineWaiting', count: 1 }],
    ['nobody answers', state([item('a')], { isUnreachable: true }), true, { kind: 'offlineWaiting', count: 1 }],
    ['there is no network and nothing waits', state([]), false, { kind: 'offline', count: 0 }],
    ['something was refused', state([item('a', true), item('b', true), item('c')]), true, { kind: 'refused', count: 2 }],
  ])('says so when %s', (_, outbox, isOnline, summary) => {
    expect(summaryOf(outbox, isOnline)).toEqual(summary)
  })

  it('is a button with its words', async () => {
    show(<SaveState person={7} />)

    expect(await screen.findByRole('button', { name: 'All saved' })).toBeTruthy()
  })
})
