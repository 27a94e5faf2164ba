import { type Draft, isEmpty, nextRole, otherRole, outOfTurn } from './turns'

/** A turn that was taken out, and where it stood. */
export type Removed = { draft: Draft; at: number }

type Step =
  | { type: 'added'; key: number }
  | { type: 'removed'; draft: Draft; at: number }
  | { type: 'moved'; key: number; by: Way }
  | { type: 'switched'; key: number }

/** Up or down by one place. */
export type Way = -1 | 1

/**
 * The turns, those that were taken out of them, and how to go back. Undoing inverts steps instead of bringing
 * an old state back, so that nothing written meanwhile is lost: every text is in one of the two lists.
 */
export type Arrangement = {
  readonly turns: readonly Draft[]
  readonly removed: readonly Removed[]
  readonly steps: readonly (readonly Step[])[]
}

export function arrange(turns: readonly Draft[], removed: readonly Removed[] = []): Arrangement {
  return { turns, removed, steps: [] }
}

/** One turn more, of whoever's turn it is. */
export function add(now: Arrangement): Arrangement {
  const draft = { key: newKey(now), role: nextRole(now.turns), content: '' }
  return record(now, put(now, draft, now.turns.length), [{ type: 'added', key: draft.key }])
}

/** Without a turn; where all take turns, without the one after too, so that they go on doing so. */
export function remove(now: Arrangement, key: number): Arrangement {
  const taken = goingWith(now, key)
  // One after the other from the same place: that is where undoing puts them, the last one first.
  const at = now.turns.findIndex((draft) => draft.key === key)
  const steps = taken.map((draft): Step => ({ type: 'removed', draft, at }))
  const rest = taken.reduce(take, now)
  if (rest.turns.length > 0) return record(now, rest, steps)
  const empty = firstAnswer(newKey(now))
  return record(now, put(rest, empty, 0), [...steps, { type: 'added', key: empty.key }])
}

/** The turns that removing this one takes out; none where it is the only one. */
export function goingWith({ turns }: Arrangement, key: number): Draft[] {
  const at = turns.findIndex((draft) => draft.key === key)
  if (at === -1 || turns.length === 1) return []
  return turns.slice(at, outOfTurn(turns).length === 0 ? at + 2 : at + 1)
}

/** One place up or down, with its role: who speaks when may be wrong afterwards. */
export function move(now: Arrangement, key: number, by: Way): Arrangement {
  const moved = moveBy(now, key, by)
  return moved === now ? now : record(now, moved, [{ type: 'moved', key, by }])
}

/** The same words from the other one's mouth. */
export function switchRole(now: Arrangement, key: number): Arrangement {
  return record(now, switched(now, key), [{ type: 'switched', key }])
}

/** A text in place of the first answer; what stood there is among the removed ones. */
export function beginWith(now: Arrangement, content: string): Arrangement {
  const draft = { ...firstAnswer(newKey(now)), content }
  const added: Step = { type: 'added', key: draft.key }
  const [first] = now.turns
  if (first?.role !== 'assistant') return record(now, put(now, draft, 0), [added])
  return record(now, put(take(now, first), draft, 0), [{ type: 'removed', draft: first, at: 0 }, added])
}

export function bringBack(now: Arrangement, key: number): Arrangement {
  const found = now.removed.find(({ draft }) => draft.key === key)
  return found ? record(now, put(now, found.draft, found.at), [{ type: 'added', key }]) : now
}

export function undo(now: Arrangement): Arrangement {
  const before = (now.steps.at(-1) ?? []).reduceRight(invert, now)
  const turns = before.turns.length > 0 ? before.turns : [firstAnswer(newKey(now))]
  return { ...before, turns, steps: now.steps.slice(0, -1) }
}

/** Other turns instead, as when the text of another device is chosen; what was here is among the removed ones. */
export function putAside({ turns, removed }: Pick<Arrangement, 'turns' | 'removed'>): Removed[] {
  const all = [...removed, ...turns.flatMap((draft, at) => (isEmpty(draft) ? [] : [{ draft, at }]))]
  // Keys below 0, since those of the turns to come are not known here.
  return all.map(({ draft, at }, place) => ({ draft: { ...draft, key: -1 - place }, at }))
}

function invert(now: Arrangement, step: Step): Arrangement {
  const draft = 'key' in step && now.turns.find(({ key }) => key === step.key)
  switch (step.type) {
    case 'added':
      return draft ? take(now, draft) : now
    case 'removed':
      return putBack(now, step)
    case 'moved':
      return moveBy(now, step.key, step.by === 1 ? -1 : 1)
    case 'switched':
      return switched(now, step.key)
  }
}

/** As it was when it was taken out last: it may have been brought back and written on since this step. */
function putBack(now: Arrangement, { draft, at }: Removed): Arrangement {
  if (now.turns.some(({ key }) => key === draft.key)) return now
  const latest = now.removed.find((one) => one.draft.key === draft.key)
  return put(now, latest?.draft ?? draft, at)
}

function take(now: Arrangement, draft: Draft): Arrangement {
  const at = now.turns.findIndex(({ key }) => key === draft.key)
  const turns = now.turns.filter(({ key }) => key !== draft.key)
  return { ...now, turns, removed: isEmpty(draft) ? now.removed : [...now.removed, { draft, at }] }
}

function put(now: Arrangement, draft: Draft, at: number): Arrangement {
  const turns = [...now.turns.slice(0, at), draft, ...now.turns.slice(at)]
  return { ...now, turns, removed: now.removed.filter((one) => one.draft.key !== draft.key) }
}

function moveBy(now: Arrangement, key: number, by: Way): Arrangement {
  const from = now.turns.findIndex((draft) => draft.key === key)
  const to = from + by
  if (from === -1 || to < 0 || to >= now.turns.length) return now
  const turns = [...now.turns]
  ;[turns[from], turns[to]] = [turns[to]!, turns[from]!]
  return { ...now, turns }
}

function switched(now: Arrangement, key: number): Arrangement {
  const turns = now.turns.map((draft) => (draft.key === key ? { ...draft, role: otherRole(draft.role) } : draft))
  return { ...now, turns }
}

function record(before: Arrangement, after: Arrangement, steps: readonly Step[]): Arrangement {
  return steps.length > 0 ? { ...after, steps: [...before.steps, steps] } : before
}

function firstAnswer(key: number): Draft {
  return { key, role: 'assistant', content: '' }
}

/** One that no turn has or had, so that undoing finds the right one. */
function newKey({ turns, removed, steps }: Arrangement): number {
  const had = steps.flat().map((step) => ('draft' in step ? step.draft.key : step.key))
  const have = [...turns, ...removed.map(({ draft }) => draft)].map(({ key }) => key)
  return Math.max(0, ...had, ...have) + 1
}
