// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { someMove } from '@/testing/moves'

import { apply, EMPTY } from './ballot'
import { begin, type History, type Step, step } from './history'

const IDS = [31, 8, 19, 4]
const someMoves = fc.array(someMove(IDS), { maxLength: 20 })

function take(history: History, steps: readonly Step[]): History {
  return steps.reduce((before, taken) => step(before, taken, IDS), history)
}

const times = (count: number, type: 'undo' | 'redo'): Step[] => Array.from({ length: count }, () => ({ type }))

describe('history', () => {
  it('shows what the moves alone lead to', () => {
    fc.assert(
      fc.property(someMoves, (moves) => {
        const { present } = take(begin(EMPTY), moves)

        expect(present).toEqual(moves.reduce((ballot, move) => apply(ballot, move, IDS), EMPTY))
      }),
    )
  })

  it('goes all the way back and all the way forth', () => {
    fc.assert(
      fc.property(someMoves, (moves) => {
        const moved = take(begin(EMPTY), moves)
        const count = moved.past.length

        const back = take(moved, times(count, 'undo'))
        const forth = take(back, times(count, 'redo'))

        expect(back.present).toBe(EMPTY)
        expect(forth).toEqual(moved)
      }),
    )
  })

  it('takes back what was visible: a move that changes nothing is no step', () => {
    fc.assert(
      fc.property(someMoves, (moves) => {
        const moved = take(begin(EMPTY), moves)

        const back = step(moved, { type: 'undo' }, IDS)

        if (moved.past.length > 0) expect(back.present).not.toEqual(moved.present)
      }),
    )
  })

  it('forgets what was taken back once something else is done', () => {
    const undone = take(begin(EMPTY), [{ type: 'place', id: 8 }, { type: 'undo' }, { type: 'place', id: 19 }])

    expect(step(undone, { type: 'redo' }, IDS)).toBe(undone)
    expect(undone.present.tiers).toEqual([[19]])
  })

  it('does nothing where there is nothing to take back or to redo', () => {
    const fresh = begin(EMPTY)

    expect(step(fresh, { type: 'undo' }, IDS)).toBe(fresh)
    expect(step(fresh, { type: 'redo' }, IDS)).toBe(fresh)
  })
})
