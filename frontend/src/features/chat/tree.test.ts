import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { ChatMessage } from '@/api'

import { settled, turnsTo, wayThrough, withMessages } from './tree'

const message = (id: number, follows: number | null): ChatMessage => ({
  id, follows, role: 'user', origin: 'first', status: 'FINISHED', text: `${id}`, created_at: '', thumb: null, better_answer: null,
})

/** Each message follows an earlier one, or begins the chat. */
const trees = fc.array(fc.nat(), { minLength: 1, maxLength: 30 }).map((numbers) =>
  numbers.map((number, place) => message(place + 1, number % (place + 1) || null)),
)

describe('a chat', () => {
  it('follows the latest reply where nothing was chosen', () => {
    const way = wayThrough([message(1, null), message(2, 1), message(3, 1), message(4, 2)], {})

    expect(way.map((step) => step.message.id)).toEqual([1, 3])
    expect(way[1]!.siblings).toEqual([2, 3])
  })

  it('leads past every message, whatever was chosen before', () => {
    fc.assert(fc.property(trees, fc.nat(), (messages, number) => {
      const goal = messages[number % messages.length]!.id

      const way = wayThrough(messages, turnsTo(messages, goal))

      expect(way.map((step) => step.message.id)).toContain(goal)
      way.forEach((step, place) => expect(step.message.follows).toBe(way[place - 1]?.message.id ?? null))
    }))
  })

  it('takes changed messages in the place of the old ones', () => {
    const all = withMessages([message(1, null), message(2, 1)], [{ ...message(2, 1), text: 'new' }, message(3, 2)])

    expect(all.map(({ text }) => text)).toEqual(['1', 'new', '3'])
  })
})

describe('a text that is being written', () => {
  it('is cut at an empty line, never inside of code or a formula', () => {
    expect(settled('one\n\ntwo')).toEqual(['one\n', '\ntwo'])
    expect(settled('one\n\n```\na\n\nb')).toEqual(['one\n', '\n```\na\n\nb'])
    expect(settled('$$\na\n\nb\n$$\n\nc')).toEqual(['$$\na\n\nb\n$$\n', '\nc'])
  })

  it('loses nothing, and what is settled stays', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('a', '\n', '\n\n', '```\n', '$$\n', ' b')), (parts) => {
      const text = parts.join('')
      for (let end = 0, before = ''; end <= text.length; end += 1) {
        const [head, tail] = settled(text.slice(0, end))
        expect(head + tail).toBe(text.slice(0, end))
        expect(head.startsWith(before)).toBe(true)
        before = head
      }
    }))
  })
})
