// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { add, begin, type Draft, isSame, nextRole, problem, readTurns, remove, turnsOf, write } from './turns'

const QUESTION = { role: 'user', content: 'And then?' } as const
const ANSWER = { role: 'assistant', content: 'Then taste it.' } as const

type Edit = { type: 'add' | 'remove' | 'write'; at: number; text: string }

const someEdits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({ type: fc.constantFrom('add', 'add', 'remove', 'write'), at: fc.nat(20), text: fc.string({ maxLength: 5 }) }),
  { maxLength: 25 },
)

function edit(drafts: Draft[], { type, at, text }: Edit): Draft[] {
  const { key } = drafts[at % drafts.length]!
  if (type === 'add') return add(drafts)
  return type === 'remove' ? remove(drafts, key) : write(drafts, key, text)
}

describe('turns', () => {
  it('begin with an empty answer to the prompt', () => {
    expect(turnsOf(begin([]))).toEqual([{ role: 'assistant', content: '' }])
  })

  it('begin with what was written before', () => {
    expect(turnsOf(begin([ANSWER, QUESTION]))).toEqual([ANSWER, QUESTION])
  })

  it('take turns from the assistant on, and have keys of their own, whatever is edited', () => {
    fc.assert(
      fc.property(someEdits, (edits) => {
        const drafts = edits.reduce(edit, begin([]))

        expect(drafts.length).toBeGreaterThan(0)
        drafts.forEach(({ role }, place) => expect(role).toBe(place % 2 === 0 ? 'assistant' : 'user'))
        expect(new Set(drafts.map(({ key }) => key)).size).toBe(drafts.length)
      }),
    )
  })

  it('keep the key and the text of the others while one is written', () => {
    const drafts = begin([ANSWER, QUESTION, ANSWER])

    const written = write(drafts, drafts[1]!.key, 'Why?')

    expect(written[1]).toEqual({ ...drafts[1], content: 'Why?' })
    expect([written[0], written[2]]).toEqual([drafts[0], drafts[2]])
  })

  it('go with the one after, so that nobody speaks twice in a row', () => {
    const drafts = begin([ANSWER, QUESTION, { role: 'assistant', content: 'Serve.' }])

    expect(turnsOf(remove(drafts, drafts[0]!.key))).toEqual([{ role: 'assistant', content: 'Serve.' }])
    expect(turnsOf(remove(drafts, drafts[2]!.key))).toEqual([ANSWER, QUESTION])
  })

  it('never come to nothing', () => {
    const one = begin([ANSWER])
    const two = begin([ANSWER, QUESTION])

    expect(remove(one, one[0]!.key)).toEqual(one)
    expect(turnsOf(remove(two, two[0]!.key))).toEqual([{ role: 'assistant', content: '' }])
  })

  it('know whose turn is next', () => {
    expect(nextRole(begin([ANSWER]))).toBe('user')
    expect(nextRole(begin([ANSWER, QUESTION]))).toBe('assistant')
  })
})

describe('what keeps a demonstration from being handed in', () => {
  it('is the first turn without a word', () => {
    const drafts = begin([ANSWER, { role: 'user', content: ' \n\t' }, { role: 'assistant', content: '' }])

    expect(problem(drafts)).toEqual({ key: drafts[1]!.key, problem: 'empty' })
  })

  it('is a user with the last word', () => {
    const drafts = begin([ANSWER, QUESTION])

    expect(problem(drafts)).toEqual({ key: drafts[1]!.key, problem: 'lastNotAssistant' })
  })

  it('is nothing when all is said', () => {
    expect(problem(begin([ANSWER, QUESTION, ANSWER]))).toBeNull()
  })
})

describe('turns kept on the device', () => {
  it('are read as they were', () => {
    expect(readTurns(JSON.parse(JSON.stringify([ANSWER, QUESTION])))).toEqual([ANSWER, QUESTION])
  })

  it.each([
    ['nothing', null],
    ['no turns', []],
    ['words', 'Then taste it.'],
    ['an unknown role', [{ role: 'system', content: 'Be kind.' }]],
    ['a turn without text', [{ role: 'user' }]],
    ['a hole', [ANSWER, null]],
  ])('are not believed where there is %s', (_, kept) => {
    expect(readTurns(kept)).toBeNull()
  })

  it('are the same only with the same roles and texts in the same order', () => {
    expect(isSame([ANSWER, QUESTION], [{ ...ANSWER }, { ...QUESTION }])).toBe(true)
    expect(isSame([ANSWER, QUESTION], [QUESTION, ANSWER])).toBe(false)
    expect(isSame([ANSWER], [ANSWER, QUESTION])).toBe(false)
    expect(isSame([ANSWER], [{ ...ANSWER, content: 'Then taste it' }])).toBe(false)
    expect(isSame([ANSWER], [{ ...ANSWER, role: 'user' }])).toBe(false)
  })
})
