// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { isOtherScript, nameOfLanguage, sizeOf } from './hints'

const CHINESE = '先把洋葱切碎，用小火慢慢炒至金黄，然后再加入高汤和一点盐。'
const ENGLISH = 'Brown the onions slowly, then add the stock and a little salt.'

describe('the size of a text', () => {
  it('counts words, characters and about how many tokens', () => {
    expect(sizeOf('Brown the onions.', 'en')).toEqual({ words: 3, characters: 17, tokens: 5 })
  })

  it('counts Chinese words, though no spaces part them', () => {
    const { words, characters, tokens } = sizeOf('小火炒洋葱。', 'zh')

    expect(words).toBeLessThan(5)
    expect(characters).toBe(6)
    expect(tokens).toBe(6)
  })

  it('is nothing where nothing is written, in whatever language', () => {
    expect(sizeOf('', 'not a language')).toEqual({ words: 0, characters: 0, tokens: 0 })
  })

  it('counts a sign beyond the first plane once', () => {
    expect(sizeOf('🍲', 'en').characters).toBe(1)
  })
})

describe('a text in another script', () => {
  it.each([
    ['English for a Chinese prompt', ENGLISH, 'zh-Hans'],
    ['Chinese for an English prompt', CHINESE, 'en'],
    ['English for a Russian prompt', ENGLISH, 'ru'],
    ['English for an Arabic prompt', ENGLISH, 'ar'],
    ['Russian for a Korean prompt', 'Медленно обжарьте лук до золотистого цвета.', 'ko'],
  ])('is noticed: %s', (_, text, language) => {
    expect(isOtherScript(text, language)).toBe(true)
  })

  it.each([
    ['Chinese for a Chinese prompt', CHINESE, 'zh'],
    ['Japanese with few characters of Chinese', 'たまねぎをゆっくりいためてから、だしとすこしのしおをくわえます', 'ja'],
    ['Chinese with English names', `${CHINESE} Le Creuset, Staub`, 'zh'],
    ['a few words', 'Salt it.', 'zh'],
    ['code alone', `\`\`\`python\n${'print(soup)\n'.repeat(9)}\`\`\``, 'zh'],
    ['an address', `https://example.org/${'soup'.repeat(9)}`, 'zh'],
    ['numbers', '1234567890'.repeat(9), 'zh'],
    ['any text where nobody said the language', ENGLISH, ''],
    ['any text in a language that nobody knows', ENGLISH, 'not a language'],
  ])('is not claimed of %s', (_, text, language) => {
    expect(isOtherScript(text, language)).toBe(false)
  })
})

describe('the name of a language', () => {
  it('is in the reader\'s own, and its code where it has none', () => {
    expect(nameOfLanguage('zh', 'en')).toBe('Chinese')
    expect(nameOfLanguage('zh', 'zh-Hans')).toBe('中文')
    expect(nameOfLanguage('not a language', 'en')).toBe('not a language')
  })
})
