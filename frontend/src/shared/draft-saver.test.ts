import { beforeEach, describe, expect, it, vi } from 'vitest'

import { DraftSaver, type Saving } from './draft-saver'

let answer: Saving<string>
let sent: { at: number; content: string; revision: number }[]
const begun = () => performance.now()
let start = 0

function open(onParted = vi.fn()) {
  return new DraftSaver<string, string>({
    revision: 0,
    save: async (content, revision) => {
      sent.push({ at: Math.round(performance.now() - start), content, revision })
      await Promise.resolve()
      return answer.kind === 'saved' ? { kind: 'saved', revision: revision + 1 } : answer
    },
    onParted,
  })
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  answer = { kind: 'saved', revision: 0 }
  sent = []
  start = begun()
})

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

describe('a draft', () => {
  it('is on its way within a second of the last change, and not before', async () => {
    const saver = open()
    saver.change('a')
    await pass(300)
    saver.change('ab')
    await pass(700)
    expect(sent).toEqual([])

    await pass(200)

    expect(sent).toEqual([{ at: 1100, content: 'ab', revision: 0 }])
  })

  it('is saved every few seconds while somebody goes on and on', async () => {
    const saver = open()
    for (let letters = 1; letters <= 20; letters++) {
      saver.change('x'.repeat(letters))
      await pass(500)
    }

    expect(sent.length).toBeGreaterThanOrEqual(3)
    expect(sent.map(({ revision }) => revision)).toEqual(sent.map((_, place) => place))
  })

  it('handed in within a second was never sent', async () => {
    const saver = open()
    saver.change('a')
    await pass(700)

    saver.close()
    await pass(60_000)

    expect(sent).toEqual([])
  })

  it('goes with the page', async () => {
    const saver = open()
    saver.change('a')

    saver.flush(true)

    expect(sent).toMatchObject([{ content: 'a' }])
  })

  it('that reached nobody is tried again, in its latest form', async () => {
    answer = { kind: 'failed' }
    const saver = open()
    saver.change('a')
    await pass(1000)
    saver.change('ab')
    answer = { kind: 'saved', revision: 0 }
    await pass(1000)

    expect(sent.map(({ content, revision }) => [content, revision])).toEqual([['a', 0], ['ab', 0]])
    await pass(60_000)
    expect(sent).toHaveLength(2)
  })

  it('that parted is not written over until somebody has chosen', async () => {
    answer = { kind: 'parted', theirs: 'b' }
    const onParted = vi.fn()
    const saver = open(onParted)
    saver.change('a')
    await pass(1000)
    saver.change('aa')
    await pass(60_000)
    expect(onParted).toHaveBeenCalledExactlyOnceWith('b')
    expect(sent).toHaveLength(1)

    answer = { kind: 'saved', revision: 0 }
    saver.goOn(7, 'aa')
    await pass(1000)

    expect(sent.at(-1)).toMatchObject({ content: 'aa', revision: 7 })
  })

  it('that nobody takes any more is not offered again', async () => {
    answer = { kind: 'over' }
    const saver = open()
    saver.change('a')
    await pass(1000)

    saver.change('ab')
    await pass(60_000)

    expect(sent).toHaveLength(1)
  })
})
