// @vitest-environment node
import { expect, it } from 'vitest'

import { dateOf } from './dates'

it.each([
  ['en', 'November 24, 2026'],
  ['zh-Hans', '2026年11月24日'],
])('a moment is a day in the words of %s', (language, words) => {
  expect(dateOf('2026-11-24T12:00:00Z', language)).toBe(words)
})
