// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { countWords, nearDuplicates, overlapOf } from './overlap'

const texts = (...all: string[]) => all.map((text, place) => ({ id: 10 + place, text }))

describe('near duplicates', () => {
  it('are told from the earlier one that they repeat', () => {
    const candidates = texts(
      'Brown the onions first, then add water.',
      'Buy stock cubes.',
      'Brown the leeks first, then add water.',
    )

    expect(nearDuplicates(candidates, 'en')).toEqual(new Map([[12, 10]]))
  })

  it('are found by their words in Chinese, which has no spaces', () => {
    const candidates = texts('先把洋葱炒香，再加水慢慢煮。', '先把大蒜炒香，再加水慢慢煮。', '去买一些高汤块。')

    expect(nearDuplicates(candidates, 'zh-Hans')).toEqual(new Map([[11, 10]]))
  })

  it('are none where texts say nothing', () => {
    expect(nearDuplicates(texts('', '', '…'), 'not a language')).toEqual(new Map())
  })
})

describe('the overlap', () => {
  it('is the same from both sides, whole for the same text, and none for strangers', () => {
    const [salt, soup] = [countWords('Salt it, and salt it again.', 'en'), countWords('Salt the soup.', 'en')]

    expect(overlapOf(salt, soup)).toBe(overlapOf(soup, salt))
    expect(overlapOf(salt, salt)).toBe(1)
    expect(overlapOf(salt, countWords('Buy cubes.', 'en'))).toBe(0)
  })
})
