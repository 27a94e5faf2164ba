import { describe, expect, it } from 'vitest'

import { chooseLanguage, preferredLanguage } from './i18n'

describe('the language', () => {
  it('is the one chosen before, as Django spells it', () => {
    expect(preferredLanguage('csrftoken=x; django_language=zh-hans', ['en-US'])).toBe('zh-Hans')
    expect(preferredLanguage('django_language=en; csrftoken=x', ['zh-CN'])).toBe('en')
  })

  it("is else the first of the browser's that there is", () => {
    expect(preferredLanguage('', ['de-DE', 'zh-TW', 'en'])).toBe('zh-Hans')
    expect(preferredLanguage('', ['fr', 'en-GB', 'zh'])).toBe('en')
  })

  it('is else English', () => {
    expect(preferredLanguage('', ['de', 'fr'])).toBe('en')
    expect(preferredLanguage('my_django_language=zh-hans', [])).toBe('en')
  })

  it('once chosen is told to Django and to the page', async () => {
    await chooseLanguage('zh-Hans')

    expect(document.cookie).toContain('django_language=zh-hans')
    expect(document.documentElement.lang).toBe('zh-Hans')
  })
})
