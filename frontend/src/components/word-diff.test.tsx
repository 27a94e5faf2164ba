import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { show } from '@/testing/render'

import { type Change, wordChanges } from './word-changes'
import WordDiff from './word-diff'

const of = (changes: Change[] | null, ...kinds: Change['kind'][]) =>
  changes!.filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text).join('')

const words = fc
  .array(fc.constantFrom('Salt', ' ', '\n\n', 'it', '.', '先', '炒', '洋葱', '，', 'é', '🍲', '\u202e'), { maxLength: 30 })
  .map((parts) => parts.join(''))

describe('changes between two texts', () => {
  it('give either text back, whatever the words and the spaces between them', () => {
    fc.assert(
      fc.property(words, words, (before, after) => {
        const changes = wordChanges(before, after)
        const bare = (text: string) => text.replaceAll(/\s/g, '')

        // The later text is kept to the letter; of the earlier one spaces may go.
        expect(of(changes, 'same', 'added')).toBe(after)
        expect(bare(of(changes, 'same', 'removed'))).toBe(bare(before))
      }),
    )
  })

  it('are whole words, in Chinese too', () => {
    expect(wordChanges('先炒洋葱再加水。', '先炒大蒜再加水。', 'zh')).toEqual([
      { kind: 'same', text: '先炒' },
      { kind: 'removed', text: '洋葱' },
      { kind: 'added', text: '大蒜' },
      { kind: 'same', text: '再加水。' },
    ])
  })

  it('are found whatever a prompt calls its language', () => {
    expect(wordChanges('Salt it.', 'Salt them.', 'not a language')).toHaveLength(4)
  })

  it('are given up where little is in common', () => {
    const text = (word: string) => Array.from({ length: 1500 }, (_, place) => `${word}${place}`).join(' ')

    expect(wordChanges(text('salt'), text('pepper'))).toBeNull()
  })
})

describe('the word diff', () => {
  it('tells added from removed without colors', () => {
    const { container } = show(<WordDiff before="Salt it." after="Salt them." />)

    expect(container.querySelector('del')!.textContent).toBe('it')
    expect(container.querySelector('ins')!.textContent).toBe('them')
  })

  it('shows the later text where the two have little in common, and says so', () => {
    const text = (word: string) => Array.from({ length: 1500 }, (_, place) => `${word}${place}`).join(' ')

    const { container } = show(<WordDiff before={text('salt')} after={text('pepper')} />)

    expect(container.textContent).toMatch(/too different.*pepper0/s)
    expect(container.querySelector('del')).toBeNull()
  })

  it('says so where nothing changed', () => {
    const { getByText } = show(<WordDiff before="Salt." after="Salt." />)

    expect(getByText('Nothing was changed.')).toBeTruthy()
  })
})
