// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { keysUsedIn } from '@/testing/used-keys'

import en from './en.json'
import zhHans from './zh-Hans.json'

type Catalog = { [key: string]: string | Catalog }

const FORM = /_(zero|one|two|few|many|other)$/

const english = textsOf(en)
const chinese = textsOf(zhHans)

const SOURCES = import.meta.glob<string>(['../**/*.{ts,tsx}', '!../**/*.test.*', '!../testing/**'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

describe('the two catalogs', () => {
  it('say the same things', () => {
    expect(keysOf(chinese)).toEqual(keysOf(english))
  })

  it('fill the same places', () => {
    const places = (texts: Map<string, string>) => keysOf(texts).map((key) => [key, placeholdersIn(texts, key)])

    expect(places(chinese)).toEqual(places(english))
  })

  it('leave nothing empty and nothing untranslated', () => {
    expect([...english.values()].filter((text) => text.trim() === '')).toEqual([])
    expect([...chinese.values()].filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([])
  })

  it.each([
    ['en', english],
    ['zh-Hans', chinese],
  ])('have a form for every number that %s tells apart', (language, texts) => {
    for (const name of texts.keys()) {
      if (!name.endsWith('_other')) continue
      const stem = name.replace(FORM, '')
      const type = stem.endsWith('_ordinal') ? 'ordinal' : 'cardinal'
      const forms = new Intl.PluralRules(language, { type }).resolvedOptions().pluralCategories

      expect(forms.filter((form) => !texts.has(`${stem}_${form}`)), stem).toEqual([])
    }
  })
})

describe('the source', () => {
  const used = Object.values(SOURCES).flatMap(keysUsedIn)
  const keys = keysOf(english).map((key) => key.replace(/_ordinal$/, ''))

  it('names only texts that exist', () => {
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((pattern) => !keys.some((key) => pattern.test(key))).map(String)).toEqual([])
  })

  it('uses every text', () => {
    expect(keys.filter((key) => !used.some((pattern) => pattern.test(key)))).toEqual([])
  })
})

function textsOf(catalog: Catalog, prefix = ''): Map<string, string> {
  const texts = Object.entries(catalog).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[prefix + name, value]] : [...textsOf(value, `${prefix}${name}.`)],
  )
  return new Map(texts)
}

/** Keys without what a language's plural forms add to them. */
function keysOf(texts: Map<string, string>): string[] {
  return [...new Set([...texts.keys()].map((name) => name.replace(FORM, '')))].sort()
}

/** Of all forms together: "One task" needs no number. */
function placeholdersIn(texts: Map<string, string>, key: string): string[] {
  const forms = [...texts].filter(([name]) => name.replace(FORM, '') === key)
  return [...new Set(forms.flatMap(([, text]) => text.match(/\{\{.+?\}\}/g) ?? []))].sort()
}
