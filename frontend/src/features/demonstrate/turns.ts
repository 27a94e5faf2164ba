import type { Turn } from '@/api'

/** A turn being written. The key is the page's own: it stays while turns come and go around it. */
export type Draft = { key: number; role: Turn['role']; content: string }

export type Problem = 'empty' | 'lastNotAssistant'

/** The turns to show for a demonstration: what was written so far, or a first empty answer to the prompt. */
export function begin(turns: readonly Turn[]): Draft[] {
  if (turns.length === 0) return [{ key: 1, role: 'assistant', content: '' }]
  return turns.map(({ role, content }, index) => ({ key: index + 1, role, content }))
}

export function write(drafts: readonly Draft[], key: number, content: string): Draft[] {
  return drafts.map((draft) => (draft.key === key ? { ...draft, content } : draft))
}

/** One turn more, of whoever's turn it is. */
export function add(drafts: readonly Draft[]): Draft[] {
  const key = Math.max(0, ...drafts.map((draft) => draft.key)) + 1
  return [...drafts, { key, role: nextRole(drafts), content: '' }]
}

/** Without a turn and, where something follows, without the next one too: the roles go on taking turns. */
export function remove(drafts: readonly Draft[], key: number): Draft[] {
  const at = drafts.findIndex((draft) => draft.key === key)
  if (at === -1 || drafts.length === 1) return [...drafts]
  const rest = [...drafts.slice(0, at), ...drafts.slice(at + 2)]
  return rest.length > 0 ? rest : begin([])
}

export function nextRole(drafts: readonly Draft[]): Turn['role'] {
  return drafts.at(-1)?.role === 'assistant' ? 'user' : 'assistant'
}

/** The first thing that keeps it from being handed in, and the turn it is about. */
export function problem(drafts: readonly Draft[]): { key: number; problem: Problem } | null {
  const empty = drafts.find(({ content }) => content.trim() === '')
  if (empty) return { key: empty.key, problem: 'empty' }
  const last = drafts.at(-1)
  return last && last.role !== 'assistant' ? { key: last.key, problem: 'lastNotAssistant' } : null
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
