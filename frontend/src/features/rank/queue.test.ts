import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ApiError, type Assignment, type RankingBody } from '@/api'
import { keepDraft, readDraft } from '@/shared/drafts'
import { sampleAssignment } from '@/testing/samples'

import { AssignmentQueue, type Judgement, type QueueServer } from './queue'

const ADA = 7
const UNREACHABLE = new ApiError({ status: 0, code: 'unreachable', detail: '' })
const LEASE_LOST = new ApiError({ status: 409, code: 'lease_lost', detail: 'This is no longer yours.' })

/** What the real one promises: leases, one ranking per key, and what replaces an assignment. */
class Server implements QueueServer {
  readonly stored = new Map<string, { id: string; body: RankingBody }>()
  readonly skipped: string[] = []
  claims = 0
  isReachable = true
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

  submit = (id: string, body: RankingBody) =>
    this.answer(() => {
      if (!this.stored.has(body.idempotency_key)) {
        if (!this.leased.delete(id) && !this.lapsed.has(id)) throw LEASE_LOST
        this.stored.set(body.idempotency_key, { id, body })
      }
      return { next: this.lease(body.holding ?? [], 1), isSurplus: this.lapsed.has(id) }
    })

  skip = (id: string, _reason: string, holding: string[]) =>
    this.answer(() => {
      if (!this.leased.delete(id)) throw LEASE_LOST
      this.skipped.push(id)
      return this.lease(holding, 1)
    })

  extend = (id: string) =>
    this.answer(() => {
      if (!this.leased.has(id)) throw LEASE_LOST
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

function visit(server: QueueServer, onSignedOut: () => void = () => undefined): AssignmentQueue {
  return new AssignmentQueue({ campaign: 1, person: ADA, server, onSignedOut })
}

async function started(server: QueueServer): Promise<AssignmentQueue> {
  const queue = visit(server)
  await queue.start()
  return queue
}

function judgement(assignment: Assignment): Judgement {
  return { tiers: assignment.candidates.map(({ id }) => [id]), unacceptable: [], cannot_judge: '', seconds_spent: 4 }
}

const idsOf = (items: readonly Assignment[]) => items.map(({ id }) => id)
const shown = (queue: AssignmentQueue) => queue.snapshot().items[0]!
const submitShown = (queue: AssignmentQueue) => queue.submit(shown(queue), judgement(shown(queue)))

describe('the queue', () => {
  it('holds the one on screen and the next', async () => {
    const queue = await started(new Server(5))

    expect(queue.snapshot().status).toBe('ready')
    expect(idsOf(queue.snapshot().items)).toEqual(['1', '2'])
  })

  it('says that there is nothing to do when there is nothing', async () => {
    const queue = await started(new Server(0))

    expect(queue.snapshot()).toMatchObject({ status: 'ready', items: [], error: null })
  })

  it('says why when nothing could be asked for, and recovers', async () => {
    const server = new Server(3)
    server.isReachable = false
    const queue = await started(server)
    expect(queue.snapshot()).toMatchObject({ status: 'failed', error: UNREACHABLE })

    server.isReachable = true
    await queue.refill()

    expect(queue.snapshot()).toMatchObject({ status: 'ready', error: null })
  })

  it('asks for no more while it is asking', async () => {
    const server = new Server(9)
    const queue = visit(server)

    await Promise.all([queue.refill(), queue.refill(), queue.refill()])

    expect(server.claims).toBe(1)
    expect(idsOf(queue.snapshot().items)).toEqual(['1', '2'])
  })

  it('tells its listeners of every change until they leave', async () => {
    const queue = visit(new Server(1))
    let count = 0
    const leave = queue.subscribe(() => (count += 1))

    await queue.start()
    const heard = count
    leave()
    await submitShown(queue)

    expect(heard).toBeGreaterThan(0)
    expect(count).toBe(heard)
  })
})

describe('submitting', () => {
  it('shows the next one before the server has answered', async () => {
    const queue = await started(new Server(5))

    const answered = submitShown(queue)

    expect(shown(queue).id).toBe('2')
    expect(queue.snapshot().unsent).toMatchObject([{ isSending: true, error: null }])
    await answered
    expect(idsOf(queue.snapshot().items)).toEqual(['2', '3'])
    expect(queue.snapshot().unsent).toEqual([])
  })

  it('stores one ranking for two clicks', async () => {
    const server = new Server(5)
    const queue = await started(server)
    const first = shown(queue)

    await Promise.all([queue.submit(first, judgement(first)), queue.submit(first, judgement(first))])

    expect(server.rankedIds()).toEqual(['1'])
    expect(queue.snapshot().refused.size).toBe(0)
  })

  it('forgets the draft only when the ranking is stored', async () => {
    const server = new Server(5)
    const queue = await started(server)
    const key = { kind: 'ranking', person: ADA, id: '1' } as const
    keepDraft(key, 'half a ranking')

    server.isReachable = false
    await submitShown(queue)
    expect(readDraft(key)).toBe('half a ranking')
    server.isReachable = true
    await queue.sendUnsent()

    expect(readDraft(key)).toBeNull()
  })
})

describe('without a network', () => {
  it('keeps what was handed in, says why, and sends it later with the key it had', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.isReachable = false
    await submitShown(queue)
    const [unsent] = queue.snapshot().unsent
    expect(unsent).toMatchObject({ error: UNREACHABLE, isSending: false })

    server.isReachable = true
    await queue.sendUnsent()

    expect([...server.stored.keys()]).toEqual([unsent!.body.idempotency_key])
    expect(queue.snapshot().unsent).toEqual([])
    expect(idsOf(queue.snapshot().items)).toEqual(['2', '3'])
  })

  it('stores a ranking once when only the answer was lost', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.losesAnswers = true
    await submitShown(queue)
    expect(queue.snapshot().unsent).toHaveLength(1)

    server.losesAnswers = false
    await queue.sendUnsent()

    expect(server.rankedIds()).toEqual(['1'])
    expect(queue.snapshot().unsent).toEqual([])
  })

  it('keeps it over a reload, for this person and this campaign only', async () => {
    const server = new Server(5)
    const before = await started(server)
    server.isReachable = false
    await submitShown(before)
    const elsewhere = new AssignmentQueue({ campaign: 2, person: ADA, server, onSignedOut: () => undefined })
    const bens = new AssignmentQueue({ campaign: 1, person: 8, server, onSignedOut: () => undefined })
    await Promise.all([elsewhere.start(), bens.start()])
    expect([elsewhere.snapshot().unsent, bens.snapshot().unsent]).toEqual([[], []])

    server.isReachable = true
    const after = await started(server)

    expect(server.rankedIds()).toEqual(['1'])
    expect(after.snapshot().unsent).toEqual([])
    expect(idsOf(after.snapshot().items)).toEqual(['2', '3'])
  })

  it('shows one again that could not be skipped, and why', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.isReachable = false

    await queue.skip(shown(queue), 'subject')

    expect(idsOf(queue.snapshot().items)).toEqual(['1', '2'])
    expect(queue.snapshot().error).toBe(UNREACHABLE)
    server.isReachable = true
    await queue.skip(shown(queue), 'subject')
    expect(server.skipped).toEqual(['1'])
    expect(queue.snapshot().error).toBeNull()
  })
})

describe('a ranking that comes after the time ran out', () => {
  it('is kept, and the labeler is told calmly until they hand in the next', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.takeAway('1')

    await submitShown(queue)

    expect(server.rankedIds()).toEqual(['1'])
    expect(queue.snapshot()).toMatchObject({ isKeptAsSurplus: true, error: null, unsent: [] })
    expect(idsOf(queue.snapshot().items)).toEqual(['2', '3'])
    await submitShown(queue)
    expect(queue.snapshot().isKeptAsSurplus).toBe(false)
  })
})

describe('a refusal', () => {
  it('brings the work back on screen with the reason', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.skipElsewhere('1')

    await submitShown(queue)

    expect(shown(queue).id).toBe('1')
    expect(queue.snapshot().refused.get('1')).toBe(LEASE_LOST)
    expect(queue.snapshot().unsent).toEqual([])
  })

  it('waits beside the work when that has gone on', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.skipElsewhere('1')
    const answered = submitShown(queue)
    keepDraft({ kind: 'ranking', person: ADA, id: '2' }, 'begun')

    await answered

    expect(shown(queue).id).toBe('2')
    expect(queue.snapshot().unsent).toMatchObject([{ error: LEASE_LOST, isSending: false }])
    queue.reopen('1')
    expect(shown(queue).id).toBe('1')
    expect(queue.snapshot().refused.get('1')).toBe(LEASE_LOST)
  })

  it('is left behind when the labeler goes on', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.skipElsewhere('1')
    await submitShown(queue)

    await queue.discard('1')

    expect(queue.snapshot().refused.size).toBe(0)
    expect(idsOf(queue.snapshot().items)).toEqual(['2', '3'])
    expect(server.rankedIds()).toEqual([])
  })

  it('of two rankings from an earlier visit shows both, and loads no longer', async () => {
    const server = new Server(5)
    const before = await started(server)
    server.isReachable = false
    await submitShown(before)
    await submitShown(before)
    server.isReachable = true
    server.skipElsewhere('1')
    server.skipElsewhere('2')

    const after = await started(server)

    expect(after.snapshot().status).toBe('ready')
    expect([...after.snapshot().refused.keys()]).toEqual(['1', '2'])
  })

  it('to skip means that it is gone already', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.skipElsewhere('1')

    await queue.skip(shown(queue), 'subject')

    expect(idsOf(queue.snapshot().items)).toEqual(['2', '3'])
  })

  it('for want of a session asks to sign in and keeps the ranking', async () => {
    const server = new Server(5)
    let asked = 0
    const queue = visit(server, () => (asked += 1))
    await queue.start()
    server.submit = () => Promise.reject(new ApiError({ status: 403, code: 'not_authenticated', detail: 'Sign in.' }))

    await submitShown(queue)

    expect(asked).toBe(1)
    expect(queue.snapshot().unsent).toHaveLength(1)
    expect(queue.snapshot().refused.size).toBe(0)
  })
})

describe('the heartbeat', () => {
  it('lets the labeler finish the one on screen when its time ran out', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.takeAway('1')

    await queue.beat()

    expect(idsOf(queue.snapshot().items)).toEqual(['1', '2'])
    expect(queue.snapshot().refused.size).toBe(0)
  })

  it('says when the one on screen is refused for another reason, and leaves it there', async () => {
    const server = new Server(5)
    const queue = await started(server)
    const gone = new ApiError({ status: 404, code: 'not_found', detail: 'There is nothing here.' })
    server.extend = (id) => (id === '1' ? Promise.reject(gone) : Promise.resolve())

    await queue.beat()

    expect(idsOf(queue.snapshot().items)).toEqual(['1', '2'])
    expect(queue.snapshot().refused.get('1')).toBe(gone)
  })

  it('replaces the next one quietly when that was lost', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.takeAway('2')

    await queue.beat()

    expect(idsOf(queue.snapshot().items)).toEqual(['1', '3'])
    expect(queue.snapshot().refused.size).toBe(0)
  })

  it('that reaches nobody changes nothing', async () => {
    const server = new Server(5)
    const queue = await started(server)
    server.isReachable = false

    await queue.beat()

    expect(idsOf(queue.snapshot().items)).toEqual(['1', '2'])
    expect(queue.snapshot().status).toBe('ready')
  })
})

describe('whatever the network does', () => {
  const someEvent = fc.constantFrom('submit', 'submit', 'submit', 'offline', 'online', 'loseAnswers', 'retry', 'reload', 'beat')

  it('every ranking handed in is stored exactly once in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someEvent, { maxLength: 30 }), async (events) => {
        localStorage.clear()
        const server = new Server(40)
        const handedIn: string[] = []
        let queue = await started(server)

        for (const event of events) {
          if (event === 'submit' && queue.snapshot().items.length > 0) {
            handedIn.push(shown(queue).id)
            await submitShown(queue)
          }
          if (event === 'offline') server.isReachable = false
          if (event === 'loseAnswers') server.losesAnswers = true
          if (event === 'online') Object.assign(server, { isReachable: true, losesAnswers: false })
          if (event === 'retry') await queue.sendUnsent()
          if (event === 'reload') queue = await started(server)
          if (event === 'beat') await queue.beat()
        }
        Object.assign(server, { isReachable: true, losesAnswers: false })
        await queue.sendUnsent()

        expect(server.rankedIds().sort()).toEqual(handedIn.sort())
        expect(queue.snapshot().unsent).toEqual([])
      }),
    )
  })
})
