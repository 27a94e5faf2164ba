import type { Turn } from '@/api'

/** A turn being written. The key is the page's own: it stays while turns come and go around it. */
export type Draft = { key: number; role: Turn['role']; content: string }

export type Problem = 'outOfTurn' | 'empty' | 'lastNotAssistant'

/** The turns to show for a demonstration: what was written so far, or a first empty answer to the prompt. */
export function begin(turns: readonly Turn[]): Draft[] {
  if (turns.length === 0) return [{ key: 1, role: 'assistant', content: '' }]
  return turns.map(({ role, content }, index) => ({ key: index + 1, role, content }))
}

export function write(drafts: readonly Draft[], key: number, content: string): Draft[] {
  return drafts.map((draft) => (draft.key === key ? { ...draft, content } : draft))
}

export function nextRole(drafts: readonly Draft[]): Turn['role'] {
  return otherRole(drafts.at(-1)?.role ?? 'user')
}

export function otherRole(role: Turn['role']): Turn['role'] {
  return role === 'assistant' ? 'user' : 'assistant'
}

/** Whose turn it is in that place: the assistant answers the prompt, and then they take turns. */
export function roleAt(place: number): Turn['role'] {
  return place % 2 === 0 ? 'assistant' : 'user'
}

/** The turns that stand where it is the other one's turn. */
export function outOfTurn(drafts: readonly Draft[]): Draft[] {
  return drafts.filter(({ role }, place) => role !== roleAt(place))
}

/** The first thing that keeps it from being handed in, and the turn it is about. */
export function problem(drafts: readonly Draft[]): { key: number; problem: Problem } | null {
  const [misplaced] = outOfTurn(drafts)
  if (misplaced) return { key: misplaced.key, problem: 'outOfTurn' }
  const empty = drafts.find(isEmpty)
  if (empty) return { key: empty.key, problem: 'empty' }
  const last = drafts.at(-1)
  return last && last.role !== 'assistant' ? { key: last.key, problem: 'lastNotAssistant' } : null
}

export function isEmpty({ content }: Draft): boolean {
  return content.trim() === ''
}

/** What travels: roles and texts. */
export function turnsOf(drafts: readonly Draft[]): Turn[] {
  return drafts.map(({ role, content }) => ({ role, content }))
}

/** Turns as they were kept on the device, or null if they are no such thing. */
export function readTurns(kept: unknown): Turn[] | null {
  if (!Array.isArray(kept) || kept.length === 0) return null
  return kept.every(isTurn) ? kept : null
}

export function isSame(a: readonly Turn[], b: readonly Turn[]): boolean {
  return (
    a.length === b.length && a.every(({ role, content }, i) => role === b[i]!.role && content === b[i]!.content)
  )
}

function isTurn(value: unknown): value is Turn {
  if (typeof value !== 'object' || value === null) return false
  const { role, content } = value as Partial<Turn>
  return (role === 'user' || role === 'assistant') && typeof content === 'string'
}
