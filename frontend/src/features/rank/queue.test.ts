import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ApiError, type Assignment, type RankingBody } from '@/api'
import { draftIds, keepDraft, readDraft } from '@/shared/drafts'
import { type Answer, Outbox } from '@/shared/outbox'
import { type Item, MemoryStore } from '@/shared/outbox-store'
import { sampleAssignment } from '@/testing/samples'

import { AssignmentQueue, type Held, isForGood, type Judgement, type QueueServer } from './queue'

const ADA = 7
const UNREACHABLE = new ApiError({ status: 0, code: 'unreachable', detail: '' })
const LEASE_LOST = new ApiError({ status: 409, code: 'lease_lost', detail: 'This is no longer yours.' })
const NO = { status: 409, code: 'lease_lost', detail: 'This is no longer yours.' }

/** What the real one promises: leases, one ranking per key, and what replaces an assignment. */
class Server implements QueueServer {
  readonly stored = new Map<string, { id: string; body: RankingBody }>()
  readonly corrected = new Map<string, string>()
  readonly skipped: string[] = []
  /** What the browser's disk holds, for every page that is opened. */
  readonly disk = new MemoryStore()
  claims = 0
  isReachable = true
  isSignedIn = true
  /** It does what it is asked and the answer gets lost. */
  losesAnswers = false
  private readonly leased = new Set<string>()
  private readonly lapsed = new Set<string>()
  private readonly open: string[]

  constructor(count: number) {
    this.open = Array.from({ length: count }, (_, index) => String(index + 1))
  }

  claim = (holding: string[], count: number) => {
    this.claims += 1
    return this.answer(() => this.lease(holding, count))
  }

  /** As the outbox hears it. */
  send = async (item: Item, holding: string[]): Promise<Answer> => {
    await Promise.resolve()
    if (!this.isReachable) return { kind: 'unreachable' }
    if (!this.isSignedIn) return { kind: 'signedOut' }
    const isStored = item.kind === 'resubmission' && this.rankedIds().includes(item.target)
    const answer = item.kind === 'correction' || isStored ? this.correct(item) : this.submit(item, holding)
    return this.losesAnswers ? { kind: 'unreachable' } : answer
  }

  skip = (id: string, _reason: string, holding: string[]) =>
    this.answer(() => {
      if (!this.leased.delete(id)) throw LEASE_LOST
      this.skipped.push(id)
      return this.lease(holding, 1)
    })

  extend = (id: string): Promise<{ lease_expires_at: string | null }> =>
    this.answer(() => {
      if (!this.leased.has(id)) throw LEASE_LOST
      return { lease_expires_at: '2026-11-24T13:15:00Z' }
    })

  /** The time of one ran out, and somebody else took it. */
  takeAway(id: string): void {
    this.leased.delete(id)
    this.lapsed.add(id)
  }

  /** The labeler skipped it in another tab. */
  skipElsewhere(id: string): void {
    this.leased.delete(id)
  }

  rankedIds(): string[] {
    return [...this.stored.values()].map(({ id }) => id)
  }

  private submit({ key, target, body }: Item, holding: string[]): Answer {
    if (!this.stored.has(key)) {
      if (!this.leased.delete(target) && !this.lapsed.has(target)) return { kind: 'refused', refusal: NO }
      this.stored.set(key, { id: target, body: body as RankingBody })
    }
    return { kind: 'stored', answer: { next: this.lease(holding, 1), kept_as_surplus: this.lapsed.has(target) } }
  }

  private correct({ key, target }: Item): Answer {
    if (!this.rankedIds().includes(target)) return { kind: 'refused', refusal: NO }
    this.corrected.set(key, target)
    return { kind: 'stored', answer: { ranking_id: 1, revision: 2 } }
  }

  private lease(holding: string[], count: number): Assignment[] {
    const mine = [...this.leased].filter((id) => !holding.includes(id)).slice(0, count)
    const fresh = this.open.splice(0, count - mine.length)
    fresh.forEach((id) => this.leased.add(id))
    return [...mine, ...fresh].map((id) => sampleAssignment(Number(id)))
  }

  private async answer<T>(act: () => T): Promise<T> {
    await Promise.resolve()
    if (!this.isReachable) throw UNREACHABLE
    const result = act()
    if (this.losesAnswers) throw UNREACHABLE
    return result
  }
}

type Page = { queue: AssignmentQueue; outbox: Outbox; close: () => void }

function visit(server: Server, { campaign = 1, person = ADA } = {}): Page {
  let queue: AssignmentQueue | null = null
  const outbox = new Outbox({ person, store: server.disk, send: (item) => server.send(item, queue?.holding() ?? []) })
  queue = new AssignmentQueue({ campaign, person, server, outbox })
  const stop = queue.listen()
  return { queue, outbox, close: () => (stop(), outbox.close()) }
}

async function started(server: Server): Promise<Page> {
  const page = visit(server)
  await page.queue.start()
  return page
}

function judgement({ assignment }: Held): Judgement {
  return { tiers: assignment.candidates.map(({ id }) => [id]), unacceptable: [], cannot_judge: '', seconds_spent: 4 }
}

/** Everything that was on its way has arrived, or not. */
const settled = async ({ outbox }: Page) => {
  await outbox.flush()
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

const idsOf = (items: readonly Held[]) => items.map(({ assignment }) => assignment.id)
const shown = ({ queue }: Page) => queue.snapshot().items[0]!
const shownId = (page: Page) => shown(page).assignment.id
const hand = (page: Page) => page.queue.submit(shownId(page), judgement(shown(page)))
const unsent = ({ outbox }: Page) => outbox.snapshot().items
const ids = ({ queue }: Page) => idsOf(queue.snapshot().items)

async function submitShown(page: Page): Promise<void> {
  hand(page)
  await settled(page)
}

describe('the queue', () => {
  it('holds the one on screen and the next', async () => {
    const page = await started(new Server(5))

    expect(page.queue.snapshot().status).toBe('ready')
    expect(ids(page)).toEqual(['1', '2'])
  })

  it('says that there is nothing to do when there is nothing', async () => {
    const { queue } = await started(new Server(0))

    expect(queue.snapshot()).toMatchObject({ status: 'ready', items: [], error: null })
  })

  it('says why when nothing could be asked for, and recovers', async () => {
    const server = new Server(3)
    server.isReachable = false
    const { queue } = await started(server)
    expect(queue.snapshot()).toMatchObject({ status: 'failed', error: UNREACHABLE })

    server.isReachable = true
    await queue.refill()

    expect(queue.snapshot()).toMatchObject({ status: 'ready', error: null })
  })

  it('asks for no more while it is asking', async () => {
    const server = new Server(9)
    const page = visit(server)

    await Promise.all([page.queue.refill(), page.queue.refill(), page.queue.refill()])

    expect(server.claims).toBe(1)
    expect(ids(page)).toEqual(['1', '2'])
  })
})

describe('submitting', () => {
  it('shows the next one before the server has answered', async () => {
    const page = await started(new Server(5))

    hand(page)

    expect(shownId(page)).toBe('2')
    expect(unsent(page)).toMatchObject([{ target: '1', path: '/rank/1', refusal: null }])
    await settled(page)
    expect(ids(page)).toEqual(['2', '3'])
    expect(unsent(page)).toEqual([])
  })

  it('stores one ranking for two clicks', async () => {
    const server = new Server(5)
    const page = await started(server)
    const first = shown(page)

    for (let click = 0; click < 2; click++) page.queue.submit(first.assignment.id, judgement(first))
    await settled(page)

    expect(server.rankedIds()).toEqual(['1'])
  })

  it('asks for no more than the answer brings', async () => {
    const server = new Server(9)
    const page = await started(server)

    for (let count = 0; count < 4; count++) await submitShown(page)

    expect(server.claims).toBe(1)
    expect(ids(page)).toEqual(['5', '6'])
  })
})

describe('without a network', () => {
  it('goes on with what it holds, and sends it later with the key it had', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.isReachable = false
    await submitShown(page)
    await submitShown(page)
    expect(ids(page)).toEqual([])
    const handedIn = unsent(page).map(({ key }) => key)

    server.isReachable = true
    await settled(page)

    expect([...server.stored.keys()]).toEqual(handedIn)
    expect(ids(page)).toEqual(['3', '4'])
  })

  it('stores a ranking once when only the answer was lost', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.losesAnswers = true
    await submitShown(page)
    expect(unsent(page)).toHaveLength(1)

    server.losesAnswers = false
    await settled(page)

    expect(server.rankedIds()).toEqual(['1'])
    expect(unsent(page)).toEqual([])
  })

  it('keeps it over a reload, and shows it no more', async () => {
    const server = new Server(5)
    const before = await started(server)
    server.isReachable = false
    await submitShown(before)
    before.close()

    const offline = await started(server)
    expect(unsent(offline)).toHaveLength(1)
    offline.close()
    server.isReachable = true
    const after = await started(server)

    expect(server.rankedIds()).toEqual(['1'])
    expect(ids(after)).toEqual(['2', '3'])
  })

  it('shows one again that could not be skipped, with what was written, and why', async () => {
    const server = new Server(5)
    const page = await started(server)
    keepDraft({ kind: 'ranking', person: ADA, id: '1' }, 'half')
    server.isReachable = false

    await page.queue.skip('1', 'subject')

    expect(ids(page)).toEqual(['1', '2'])
    expect(page.queue.snapshot()).toMatchObject({ error: UNREACHABLE, isSkippedTextKept: false })
    expect(readDraft({ kind: 'ranking', person: ADA, id: '1' })).toBe('half')
  })
})

describe('skipping', () => {
  it('keeps on this device what was written', async () => {
    const server = new Server(5)
    const page = await started(server)
    keepDraft({ kind: 'ranking', person: ADA, id: '1' }, 'half')

    await page.queue.skip('1', 'subject')

    expect(server.skipped).toEqual(['1'])
    expect(page.queue.snapshot()).toMatchObject({ error: null, isSkippedTextKept: true })
    expect(readDraft({ kind: 'ranking', person: ADA, id: '1' })).toBeNull()
    expect(readDraft({ kind: 'skipped', person: ADA, id: '1' })).toMatchObject({ reason: 'subject', written: 'half' })
  })

  it('keeps nothing where nothing was written', async () => {
    const page = await started(new Server(5))

    await page.queue.skip('1', 'subject')

    expect(page.queue.snapshot().isSkippedTextKept).toBe(false)
    expect(draftIds({ kind: 'skipped', person: ADA })).toEqual([])
  })

  it('one that is gone already asks for another', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.skipElsewhere('1')

    await page.queue.skip('1', 'subject')

    expect(ids(page)).toEqual(['2', '3'])
  })
})

describe('taking back the last one', () => {
  it('takes it out of the outbox where it was not sent', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.isReachable = false
    await submitShown(page)

    await page.queue.undo()

    expect(shown(page)).toMatchObject({ assignment: { id: '1' }, initial: { cannot_judge: '' }, isCorrection: false })
    expect(ids(page)).toEqual(['1', '2'])
    expect(unsent(page)).toEqual([])
    server.isReachable = true
    await submitShown(page)
    expect(server.rankedIds()).toEqual(['1'])
    expect(server.corrected.size).toBe(0)
  })

  it('corrects what is stored', async () => {
    const server = new Server(5)
    const page = await started(server)
    await submitShown(page)

    await page.queue.undo()
    expect(shown(page)).toMatchObject({ assignment: { id: '1' }, isCorrection: true })
    expect(ids(page)).toEqual(['1', '2', '3'])
    await submitShown(page)

    expect(server.rankedIds()).toEqual(['1'])
    expect([...server.corrected.values()]).toEqual(['1'])
    expect(ids(page)).toEqual(['2', '3'])
  })

  it('while it is on its way waits for the answer', async () => {
    const server = new Server(5)
    const page = await started(server)
    hand(page)

    await page.queue.undo()

    expect(shown(page)).toMatchObject({ assignment: { id: '1' }, isCorrection: true })
    expect(server.rankedIds()).toEqual(['1'])
  })

  it('is over when it is forgotten, and leaves what is stored as it was', async () => {
    const server = new Server(5)
    const page = await started(server)
    await submitShown(page)
    await page.queue.undo()
    await page.queue.discard('1')
    expect(ids(page)).toEqual(['2', '3'])

    await submitShown(page)
    page.queue.forgetLast(page.queue.snapshot().last!.key)
    await page.queue.undo()

    expect(ids(page)).toEqual(['3', '4'])
    expect(server.corrected.size).toBe(0)
  })
})

describe('a ranking that comes after the time ran out', () => {
  it('is kept, and the labeler is told calmly until they hand in the next', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.takeAway('1')

    await submitShown(page)

    expect(server.rankedIds()).toEqual(['1'])
    expect(page.queue.snapshot()).toMatchObject({ isKeptAsSurplus: true, error: null })
    expect(ids(page)).toEqual(['2', '3'])
    await submitShown(page)
    expect(page.queue.snapshot().isKeptAsSurplus).toBe(false)
  })
})

describe('a refusal', () => {
  it('brings the work back on screen with the reason, and keeps it', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.skipElsewhere('1')

    await submitShown(page)

    expect(shown(page)).toMatchObject({ assignment: { id: '1' }, refused: { refusal: NO } })
    expect(isForGood(shown(page))).toBe(true)
    expect(unsent(page)).toMatchObject([{ target: '1', refusal: NO }])
    expect(page.queue.snapshot().last).toBeNull()
  })

  it('waits beside the work when that has gone on', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.skipElsewhere('1')
    hand(page)
    keepDraft({ kind: 'ranking', person: ADA, id: '2' }, 'begun')

    await settled(page)

    expect(shownId(page)).toBe('2')
    page.outbox.ask(unsent(page)[0]!.key)
    expect(shown(page)).toMatchObject({ assignment: { id: '1' }, refused: { refusal: NO } })
  })

  it('that is for what was sent goes away with what is sent instead', async () => {
    const server = new Server(5)
    const page = await started(server)
    const send = server.send
    server.send = async () => ({ kind: 'refused', refusal: { status: 400, code: 'bad_rating', detail: 'No.' } })
    await submitShown(page)
    expect(isForGood(shown(page))).toBe(false)

    server.send = send
    await submitShown(page)

    expect(server.rankedIds()).toEqual(['1'])
    expect(unsent(page)).toEqual([])
  })

  it('is left behind when the labeler goes on', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.skipElsewhere('1')
    await submitShown(page)

    await page.queue.discard('1')

    expect(ids(page)).toEqual(['2', '3'])
    expect(unsent(page)).toEqual([])
    expect(server.rankedIds()).toEqual([])
  })

  it('for want of a session keeps the ranking until there is one', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.isSignedIn = false

    await submitShown(page)
    expect(unsent(page)).toMatchObject([{ target: '1', refusal: null }])
    server.isSignedIn = true
    await settled(page)

    expect(server.rankedIds()).toEqual(['1'])
  })
})

describe('another tab', () => {
  it('that stored what is on screen here sends this one on', async () => {
    const server = new Server(5)
    const [here, there] = [await started(server), await started(server)]
    hand(there)
    const item = unsent(there)[0]!
    await settled(there)

    await here.outbox.hear({ person: ADA, gone: { item, isStored: true } })
    await settled(here)

    expect(ids(here)).toEqual(['2', '3'])
  })

  it('that handed it in without a network does so too', async () => {
    const server = new Server(5)
    const [here, there] = [await started(server), await started(server)]
    server.isReachable = false
    await submitShown(there)

    await here.outbox.load()

    expect(ids(here)).toEqual(['2'])
  })
})

describe('the heartbeat', () => {
  it('tells how long the lease is now', async () => {
    const page = await started(new Server(5))

    await page.queue.beat()

    expect(shown(page).assignment.lease_expires_at).toBe('2026-11-24T13:15:00Z')
  })

  it('lets the labeler finish the one on screen when its time ran out', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.takeAway('1')

    await page.queue.beat()

    expect(ids(page)).toEqual(['1', '2'])
    expect(shown(page)).toMatchObject({ isLost: true })
    await submitShown(page)
    expect(page.queue.snapshot().isKeptAsSurplus).toBe(true)
  })

  it('says when the one on screen is refused for another reason, and leaves it there', async () => {
    const server = new Server(5)
    const page = await started(server)
    const gone = new ApiError({ status: 404, code: 'not_found', detail: 'There is nothing here.' })
    server.extend = (id) => (id === '1' ? Promise.reject(gone) : Promise.resolve({ lease_expires_at: null }))

    await page.queue.beat()

    expect(ids(page)).toEqual(['1', '2'])
    expect(shown(page).refused?.refusal.code).toBe('not_found')
  })

  it('replaces the next one quietly when that was lost', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.takeAway('2')

    await page.queue.beat()

    expect(ids(page)).toEqual(['1', '3'])
  })

  it('that reaches nobody changes nothing, and asks no further', async () => {
    const server = new Server(5)
    const page = await started(server)
    server.isReachable = false
    let asked = 0
    const { extend } = server
    server.extend = (id) => ((asked += 1), extend(id))

    await page.queue.beat()

    expect(ids(page)).toEqual(['1', '2'])
    expect([asked, server.claims]).toEqual([1, 1])
    expect(page.queue.snapshot().status).toBe('ready')
  })
})

describe('whatever the network does', () => {
  const someEvent = fc.constantFrom('submit', 'submit', 'submit', 'offline', 'online', 'loseAnswers', 'retry', 'reload', 'beat', 'undo')

  it('every ranking handed in is stored exactly once in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someEvent, { maxLength: 30 }), async (events) => {
        localStorage.clear()
        const server = new Server(40)
        const handedIn = new Set<string>()
        const arrivedAllTheSame = new Set<string>()
        let page = await started(server)

        for (const event of events) {
          if (event === 'submit' && ids(page).length > 0) {
            handedIn.add(shownId(page))
            await submitShown(page)
          }
          if (event === 'undo' && page.queue.snapshot().last) {
            await page.queue.undo()
            const { isCorrection, assignment } = shown(page)
            if (!isCorrection) handedIn.delete(assignment.id)
            if (server.rankedIds().includes(assignment.id)) arrivedAllTheSame.add(assignment.id)
          }
          if (event === 'offline') server.isReachable = false
          if (event === 'loseAnswers') server.losesAnswers = true
          if (event === 'online') Object.assign(server, { isReachable: true, losesAnswers: false })
          if (event === 'retry') await settled(page)
          if (event === 'reload') {
            page.close()
            page = await started(server)
          }
          if (event === 'beat') await page.queue.beat()
        }
        Object.assign(server, { isReachable: true, losesAnswers: false })
        await settled(page)
        page.close()

        expect(unsent(page)).toEqual([])
        expect(new Set(server.rankedIds())).toEqual(new Set([...handedIn, ...arrivedAllTheSame]))
        expect(server.rankedIds()).toHaveLength(new Set(server.rankedIds()).size)
      }),
      { numRuns: 60 },
    )
  })
})
