import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type Answer, type NewItem, Outbox, type Told } from './outbox'
import { type Item, MemoryStore, type OutboxStore } from './outbox-store'

const ADA = 7
const NO = { status: 409, code: 'lease_lost', detail: 'This is no longer yours.' }

/** Stores each key once, and never two about the same in the wrong order. */
class Server {
  readonly stored: string[] = []
  mode: 'well' | 'unreachable' | 'losesAnswers' | 'busy' | 'signedOut' = 'well'
  /** About these it says no, or chokes. */
  readonly refuses = new Set<string>()
  readonly chokesOn = new Set<string>()

  send = async (item: Item): Promise<Answer> => {
    await Promise.resolve()
    if (this.mode === 'unreachable' || this.mode === 'signedOut') return { kind: this.mode }
    if (this.mode === 'busy' || this.chokesOn.has(item.target)) return { kind: 'busy' }
    // What it has, it has: whoever sends it again is told so.
    if (this.refuses.has(item.target) && !this.stored.includes(item.key)) return { kind: 'refused', refusal: NO }
    if (!this.stored.includes(item.key)) this.stored.push(item.key)
    return this.mode === 'losesAnswers' ? { kind: 'unreachable' } : { kind: 'stored', answer: { key: item.key } }
  }
}

const refusing: OutboxStore = {
  all: () => Promise.reject(new Error('no')),
  has: () => Promise.reject(new Error('no')),
  put: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
  remove: () => Promise.reject(new Error('no')),
}

const handed = (key: string, target = key): NewItem => ({
  key,
  kind: 'ranking',
  target,
  path: '/rank/1',
  body: {},
  shown: null,
})

function open(server: Server, store: OutboxStore = new MemoryStore(), tell?: (told: Told) => void): Outbox {
  return new Outbox({ person: ADA, store, send: server.send, ...(tell && { tell }) })
}

const keys = (outbox: Outbox) => outbox.snapshot().items.map(({ key }) => key)

let server: Server
let store: MemoryStore
let outbox: Outbox

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  server = new Server()
  store = new MemoryStore()
  outbox = open(server, store)
})

afterEach(() => outbox.close())

describe('the outbox', () => {
  it('keeps what is handed in before it sends it', async () => {
    const order: string[] = []
    vi.spyOn(store, 'put').mockImplementation(async () => void order.push('kept'))
    server.send = async () => (order.push('sent'), { kind: 'stored', answer: null })
    outbox = open(server, store)

    outbox.add(handed('a'))
    await outbox.flush()

    expect(order).toEqual(['kept', 'sent'])
  })

  it('sends in the order in which things were handed in', async () => {
    server.mode = 'unreachable'
    for (const key of ['c', 'a', 'b']) outbox.add(handed(key))
    await outbox.flush()

    server.mode = 'well'
    await outbox.flush()

    expect(server.stored).toEqual(['c', 'a', 'b'])
    expect(keys(outbox)).toEqual([])
    expect(await store.all(ADA)).toEqual([])
  })

  it('has after a crash what it had before, whatever the clock says', async () => {
    server.mode = 'unreachable'
    outbox.add(handed('a', 'soup'), Date.UTC(2026, 10, 24))
    outbox.add(handed('b', 'soup'), Date.UTC(2020, 0, 1))
    await outbox.flush()
    outbox.close()

    server.mode = 'well'
    outbox = open(server, store)
    await outbox.ready()

    expect(server.stored).toEqual(['a', 'b'])
  })

  it('tries again by itself, and at once when the network is back', async () => {
    server.mode = 'unreachable'
    outbox.add(handed('a'))
    await outbox.flush()
    expect(outbox.snapshot().isUnreachable).toBe(true)

    server.mode = 'well'
    await vi.advanceTimersByTimeAsync(2000)

    expect(server.stored).toEqual(['a'])
    expect(outbox.snapshot()).toMatchObject({ items: [], isUnreachable: false })
  })

  it('waits longer each time, up to a minute', async () => {
    server.mode = 'unreachable'
    const send = vi.spyOn(server, 'send')
    outbox = open(server, store)
    outbox.add(handed('a'))

    await vi.advanceTimersByTimeAsync(3600_000)

    expect(send.mock.calls.length).toBeGreaterThan(60)
    expect(send.mock.calls.length).toBeLessThan(150)
  })

  it('keeps what is refused with the words, and sends the rest', async () => {
    server.refuses.add('soup')
    outbox.add(handed('a', 'soup'))
    outbox.add(handed('b', 'bread'))
    await outbox.flush()

    expect(server.stored).toEqual(['b'])
    expect(outbox.find('a')!.refusal).toEqual(NO)
    outbox.close()
    outbox = open(server, store)
    await outbox.ready()
    expect(outbox.find('a')!.refusal).toEqual(NO)

    server.refuses.clear()
    await outbox.retry('a')
    expect(server.stored).toEqual(['b', 'a'])
  })

  it('is held up by one that the server chokes on only where the same is meant', async () => {
    server.chokesOn.add('soup')
    for (const [key, target] of [['a', 'soup'], ['b', 'bread'], ['c', 'soup']] as const) outbox.add(handed(key, target))

    await outbox.flush()

    expect(server.stored).toEqual(['b'])
    expect(keys(outbox)).toEqual(['a', 'c'])
  })

  it('asks nobody in vain once the session has ended', async () => {
    server.mode = 'signedOut'
    const send = vi.spyOn(server, 'send')
    outbox = open(server, store)
    outbox.add(handed('a'))
    outbox.add(handed('b'))
    await outbox.flush()

    expect(send.mock.calls.map(([{ key }]) => key)).not.toContain('b')
    expect(keys(outbox)).toEqual(['a', 'b'])
  })

  it('works on where the browser keeps nothing, and says so', async () => {
    outbox = open(server, refusing)
    server.mode = 'unreachable'
    outbox.add(handed('a'))
    await outbox.flush()
    expect(outbox.snapshot()).toMatchObject({ isKept: false, items: [{ key: 'a' }] })

    server.mode = 'well'
    await outbox.load()
    await outbox.flush()

    expect(server.stored).toEqual(['a'])
  })

  it('does not wait for a store that never answers', async () => {
    const never = () => new Promise<never>(() => undefined)
    outbox = open(server, { all: never, has: never, put: never, remove: never })

    outbox.add(handed('a'))
    await vi.advanceTimersByTimeAsync(5000)

    expect(server.stored).toEqual(['a'])
  })

  it('keeps what a browser short of room threw out of the store', async () => {
    server.mode = 'unreachable'
    outbox.add(handed('a'))
    await outbox.flush()
    await store.remove('a')

    await outbox.load()

    expect(keys(outbox)).toEqual(['a'])
    expect(await store.has('a')).toBe(true)
  })

  it('is one person\'s', async () => {
    server.mode = 'unreachable'
    outbox.add(handed('a'))
    await outbox.flush()
    server.mode = 'well'

    const bens = new Outbox({ person: 8, store, send: server.send })
    await bens.ready()

    expect([keys(bens), server.stored]).toEqual([[], []])
    bens.close()
  })
})

describe('taking back', () => {
  it('is possible while the server does not have it', async () => {
    server.mode = 'unreachable'
    outbox.add(handed('a'))
    await outbox.flush()

    expect(await outbox.withdraw('a')).toBe(true)
    server.mode = 'well'
    await outbox.load()
    await outbox.flush()

    expect(server.stored).toEqual([])
    expect(await store.all(ADA)).toEqual([])
  })

  it('waits for what is on its way, and is then too late', async () => {
    outbox.add(handed('a'))

    expect(await outbox.withdraw('a')).toBe(false)

    expect(server.stored).toEqual(['a'])
  })
})

describe('two tabs', () => {
  it('hear of each other what is stored, and what was taken back', async () => {
    const outcomes: string[] = []
    const there = open(server, store)
    outbox = open(server, store, (told) => void there.hear(structuredClone(told)))
    there.onSettled(({ key }, { kind }) => outcomes.push(`${key} ${kind}`))
    server.mode = 'unreachable'
    for (const key of ['a', 'b']) outbox.add(handed(key))
    await outbox.flush()
    await vi.waitFor(() => expect(keys(there)).toEqual(['a', 'b']))

    await outbox.withdraw('a')
    server.mode = 'well'
    await outbox.flush()

    await vi.waitFor(() => expect(outcomes).toEqual(['b elsewhere']))
    expect(keys(there)).toEqual([])
    there.close()
  })
})

describe('whatever happens', () => {
  const someEvent = fc.oneof(
    fc.record({ do: fc.constant('add' as const), target: fc.constantFrom('soup', 'bread', 'tea') }),
    fc.record({ do: fc.constant('mode' as const), mode: fc.constantFrom('well', 'unreachable', 'losesAnswers', 'busy', 'signedOut') }),
    fc.record({ do: fc.constant('refuse' as const), target: fc.constantFrom('soup', 'bread') }),
    fc.record({ do: fc.constantFrom('crash', 'flush', 'flushAndCrash', 'load', 'allow') }),
  )

  it('each thing handed in is stored exactly once, or still kept; and in order for each subject', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someEvent, { maxLength: 25 }), async (events) => {
        const theServer = new Server()
        const disk = new MemoryStore()
        const about = new Map<string, string>()
        let page = open(theServer, disk)
        for (const event of events) {
          if (event.do === 'add') {
            const key = `${about.size}`
            about.set(key, event.target)
            page.add(handed(key, event.target))
            // The disk has it: before that, the crash is the labeler's draft's to survive.
            await vi.waitFor(async () => expect((await disk.has(key)) || theServer.stored.includes(key)).toBe(true))
          }
          if (event.do === 'mode') theServer.mode = event.mode as Server['mode']
          if (event.do === 'refuse') theServer.refuses.add(event.target)
          if (event.do === 'allow') theServer.refuses.clear()
          if (event.do === 'flush') await page.flush()
          if (event.do === 'load') await page.load()
          if (event.do === 'flushAndCrash') void page.flush()
          if (event.do === 'crash' || event.do === 'flushAndCrash') {
            page.close()
            page = open(theServer, disk)
            await page.load()
          }
        }
        theServer.mode = 'well'
        await page.flush()
        page.close()

        const kept = page.snapshot().items
        expect(kept.every(({ refusal }) => refusal)).toBe(true)
        expect([...theServer.stored, ...keys(page)].sort()).toEqual([...about.keys()].sort())
        for (const target of ['soup', 'bread', 'tea']) {
          const stored = theServer.stored.filter((key) => about.get(key) === target).map(Number)
          if (theServer.refuses.size === 0 && kept.length === 0) expect(stored).toEqual([...stored].sort((a, b) => a - b))
        }
      }),
      { numRuns: 60 },
    )
  })
})
