import { segmenterFor } from '@/shared/segments'

/** What a writer may like to know of a text. Nothing here keeps it from being handed in. */

export type Size = { words: number; characters: number; tokens: number }

/** Words as the language counts them, characters, and about how many tokens a model reads. */
export function sizeOf(text: string, language?: string): Size {
  let words = 0
  for (const { isWordLike } of segmenterFor(language).segment(text)) words += isWordLike ? 1 : 0
  const characters = [...text].length
  return { words, characters, tokens: tokensOf(text, characters) }
}

/** Tokenizers differ: four letters of an alphabet are about one token, a Chinese character is about one itself. */
function tokensOf(text: string, characters: number): number {
  const dense = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0
  return Math.ceil(dense + (characters - dense) / 4)
}

const FEWEST_LETTERS = 20
const LEAST_SHARE = 0.2

/** Whether the text is hardly written in the script of that language. A few words, and code, are no evidence. */
export function isOtherScript(text: string, language: string | undefined): boolean {
  const expected = scriptsOf(language)
  const letters = withoutCode(text).match(/\p{L}/gu) ?? []
  if (!expected || letters.length < FEWEST_LETTERS) return false
  return letters.filter((letter) => expected.test(letter)).length < letters.length * LEAST_SHARE
}

/** The language's name for readers of another one; its code where nobody knows it. */
export function nameOfLanguage(language: string, readers: string): string {
  try {
    return new Intl.DisplayNames(readers, { type: 'language' }).of(language) ?? language
  } catch {
    return language
  }
}

// What languages are written in, where that is more than the one script that Unicode calls by this name.
const SCRIPTS: Record<string, string[]> = {
  Hans: ['Hani'],
  Hant: ['Hani'],
  Jpan: ['Hani', 'Hira', 'Kana'],
  Kore: ['Hang', 'Hani'],
}

function scriptsOf(language: string | undefined): RegExp | null {
  if (!language) return null
  try {
    const { script } = new Intl.Locale(language).maximize()
    if (!script) return null
    const scripts = SCRIPTS[script] ?? [script]
    return new RegExp(`[${scripts.map((name) => `\\p{Script=${name}}`).join('')}]`, 'u')
  } catch {
    // Imported prompts may name languages that no browser knows.
    return null
  }
}

function withoutCode(text: string): string {
  return text.replaceAll(/```.*?(```|$)/gs, ' ').replaceAll(/`[^`\n]*`/g, ' ').replaceAll(/https?:\/\/\S+/g, ' ')
}
