// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { add, type Arrangement, arrange, beginWith, bringBack, goingWith, move, putAside, remove, switchRole, undo } from './arranging'
import { begin, turnsOf, write } from './turns'

const ANSWER = { role: 'assistant', content: 'Then taste it.' } as const
const QUESTION = { role: 'user', content: 'And then?' } as const
const LAST = { role: 'assistant', content: 'Serve.' } as const

const three = () => arrange(begin([ANSWER, QUESTION, LAST]))
const texts = ({ turns }: Arrangement) => turns.map(({ content }) => content)
const keyOf = (now: Arrangement, text: string) => now.turns.find(({ content }) => content === text)!.key

const KINDS = ['write', 'write', 'add', 'remove', 'up', 'down', 'switch', 'beginWith', 'bringBack', 'undo', 'undo'] as const
type Edit = { kind: (typeof KINDS)[number]; at: number }

const someEdits: fc.Arbitrary<Edit[]> = fc.array(fc.record({ kind: fc.constantFrom(...KINDS), at: fc.nat(20) }), { maxLength: 40 })

function edit(now: Arrangement, { kind, at }: Edit, place: number): Arrangement {
  const { key } = now.turns[at % now.turns.length]!
  switch (kind) {
    case 'write':
      return { ...now, turns: write(now.turns, key, `text ${place}`) }
    case 'add':
      return add(now)
    case 'remove':
      return remove(now, key)
    case 'up':
    case 'down':
      return move(now, key, kind === 'up' ? -1 : 1)
    case 'switch':
      return switchRole(now, key)
    case 'beginWith':
      return beginWith(now, `suggestion ${place}`)
    case 'bringBack':
      return now.removed.length > 0 ? bringBack(now, now.removed[at % now.removed.length]!.draft.key) : now
    case 'undo':
      return undo(now)
  }
}

describe('arranging turns, whatever is done in whichever order', () => {
  it('keeps every text where it can be found, in one place and with one key', () => {
    fc.assert(
      fc.property(someEdits, (edits) => {
        let now = arrange(begin([]))
        const latest = new Map<number, string>()
        edits.forEach((one, place) => {
          now = edit(now, one, place)
          now.turns.forEach(({ key, content }) => content && latest.set(key, content))
        })

        const found = [...now.turns, ...now.removed.map(({ draft }) => draft)]
        expect(now.turns.length).toBeGreaterThan(0)
        expect(new Set(found.map(({ key }) => key)).size).toBe(found.length)
        expect(new Map(found.filter(({ content }) => content).map(({ key, content }) => [key, content]))).toEqual(latest)
      }),
    )
  })

  it('comes back to the beginning by undoing all of it', () => {
    fc.assert(
      fc.property(someEdits, (edits) => {
        const start = three()
        const arranged = edits.filter(({ kind }) => kind !== 'write' && kind !== 'undo').reduce(edit, start)

        const back = arranged.steps.reduce((now) => undo(now), arranged)

        expect(back.turns).toEqual(start.turns)
        expect(back.steps).toEqual([])
      }),
    )
  })

  it('lets the two take turns as long as turns are only added, removed and brought back in order', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ kind: fc.constantFrom('add', 'add', 'remove', 'write'), at: fc.nat(20) }), { maxLength: 25 }), (edits) => {
        const { turns } = edits.reduce<Arrangement>((now, one, place) => edit(now, one as Edit, place), arrange(begin([])))

        turns.forEach(({ role }, place) => expect(role).toBe(place % 2 === 0 ? 'assistant' : 'user'))
      }),
    )
  })
})

describe('removing a turn', () => {
  it('takes the one after with it, so that nobody speaks twice in a row', () => {
    const now = three()

    expect(texts(remove(now, now.turns[0]!.key))).toEqual(['Serve.'])
    expect(texts(remove(now, now.turns[2]!.key))).toEqual(['Then taste it.', 'And then?'])
  })

  it('takes nothing else where they do not take turns anyway', () => {
    const now = move(three(), 2, -1)

    expect(goingWith(now, 2).map(({ content }) => content)).toEqual(['And then?'])
    expect(texts(remove(now, 2))).toEqual(['Then taste it.', 'Serve.'])
  })

  it('never leaves nothing', () => {
    const one = arrange(begin([ANSWER]))
    const two = arrange(begin([ANSWER, QUESTION]))

    expect(remove(one, 1)).toBe(one)
    expect(turnsOf(remove(two, 1).turns)).toEqual([{ role: 'assistant', content: '' }])
  })

  it('can be taken back one by one', () => {
    const now = three()
    const without = remove(now, now.turns[0]!.key)

    const back = bringBack(without, without.removed.find(({ draft }) => draft.role === 'user')!.draft.key)

    expect(texts(back)).toContain('And then?')
    expect(back.removed.map(({ draft }) => draft.content)).toEqual(['Then taste it.'])
  })

  it('that is undone after it was brought back and written on keeps what was written', () => {
    const removed = remove(move(three(), 1, 1), 1)
    const again = bringBack(removed, 1)
    const written = { ...again, turns: write(again.turns, 1, 'Then taste it twice.') }

    const back = undo(undo(written))

    expect(texts(back)).toContain('Then taste it twice.')
    expect(texts(back)).not.toContain('Then taste it.')
  })
})

describe('moving a turn', () => {
  it('takes its words and its role along', () => {
    const now = three()

    expect(turnsOf(move(now, keyOf(now, 'And then?'), 1).turns)).toEqual([ANSWER, LAST, QUESTION])
  })

  it('ends at the ends', () => {
    const now = three()

    expect(move(now, 1, -1)).toBe(now)
    expect(move(now, 3, 1)).toBe(now)
  })
})

describe('beginning with a suggestion', () => {
  it('fills an empty answer', () => {
    const now = beginWith(arrange(begin([])), 'Boil it.')

    expect(turnsOf(now.turns)).toEqual([{ role: 'assistant', content: 'Boil it.' }])
    expect(now.removed).toEqual([])
  })

  it('keeps the answer that it replaces, and goes before a user who begins', () => {
    const replaced = beginWith(three(), 'Boil it.')
    const before = beginWith(move(three(), 1, 1), 'Boil it.')

    expect(texts(replaced)).toEqual(['Boil it.', 'And then?', 'Serve.'])
    expect(replaced.removed.map(({ draft }) => draft.content)).toEqual(['Then taste it.'])
    expect(texts(before)).toEqual(['Boil it.', 'And then?', 'Then taste it.', 'Serve.'])
  })
})

describe('turns put aside for another version', () => {
  it('can be brought back beside the new ones', () => {
    const mine = remove(three(), 3)
    const now = arrange(begin([LAST]), putAside(mine))

    const all = now.removed.reduce((one, { draft }) => bringBack(one, draft.key), now)

    expect(texts(all).sort()).toEqual(['And then?', 'Serve.', 'Serve.', 'Then taste it.'])
  })
})
