// @vitest-environment node
import { describe, expect, it } from 'vitest'

import { begin, isSame, nextRole, outOfTurn, problem, readTurns, turnsOf, write } from './turns'

const QUESTION = { role: 'user', content: 'And then?' } as const
const ANSWER = { role: 'assistant', content: 'Then taste it.' } as const

describe('turns', () => {
  it('begin with an empty answer to the prompt', () => {
    expect(turnsOf(begin([]))).toEqual([{ role: 'assistant', content: '' }])
  })

  it('begin with what was written before', () => {
    expect(turnsOf(begin([ANSWER, QUESTION]))).toEqual([ANSWER, QUESTION])
  })

  it('keep the key and the text of the others while one is written', () => {
    const drafts = begin([ANSWER, QUESTION, ANSWER])

    const written = write(drafts, drafts[1]!.key, 'Why?')

    expect(written[1]).toEqual({ ...drafts[1], content: 'Why?' })
    expect([written[0], written[2]]).toEqual([drafts[0], drafts[2]])
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

  it('is first of all a turn that stands where it is the other one\'s', () => {
    const drafts = begin([QUESTION, { role: 'assistant', content: '' }, ANSWER])

    expect(problem(drafts)).toEqual({ key: drafts[0]!.key, problem: 'outOfTurn' })
    expect(outOfTurn(drafts)).toEqual([drafts[0], drafts[1]])
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
