import type { ChatMessage } from '@/api'

/** Which reply to follow where a message has several: the reply's id by the id of what it follows; 0 is the beginning. */
export type Turns = Readonly<Record<number, number>>

/** One message on the way from the beginning to the end, and those in whose place it stands. */
export type Step = { message: ChatMessage; siblings: readonly number[] }

/** The way through the tree: at each fork the reply that was chosen, else the latest. */
export function wayThrough(messages: readonly ChatMessage[], turns: Turns): Step[] {
  const replies = new Map<number, ChatMessage[]>()
  for (const message of messages) {
    const beside = replies.get(message.follows ?? 0)
    if (beside) beside.push(message)
    else replies.set(message.follows ?? 0, [message])
  }
  const way: Step[] = []
  for (let at = 0; ; ) {
    const here = replies.get(at)
    if (!here) return way
    const message = here.find(({ id }) => id === turns[at]) ?? here.at(-1)!
    way.push({ message, siblings: here.map(({ id }) => id) })
    at = message.id
  }
}

/** The choices that lead past a message. */
export function turnsTo(messages: readonly ChatMessage[], id: number): Turns {
  const byId = new Map(messages.map((message) => [message.id, message]))
  const turns: Record<number, number> = {}
  for (let at = byId.get(id); at; at = byId.get(at.follows ?? 0)) turns[at.follows ?? 0] = at.id
  return turns
}

/** The messages with some of them new or changed, in the order in which they came. */
export function withMessages(messages: readonly ChatMessage[], changed: readonly ChatMessage[]): ChatMessage[] {
  const byId = new Map([...messages, ...changed].map((message) => [message.id, message]))
  return [...byId.values()].sort((one, other) => one.id - other.id)
}

/**
 * A text that is being written, in two: what no later word changes the look of, and the rest. The cut is the last
 * empty line outside of code and formulas.
 */
export function settled(text: string): [string, string] {
  let cut = 0
  let fence = ''
  let at = 0
  // The last line may still become anything.
  for (const line of text.split('\n').slice(0, -1)) {
    const mark = /^\s{0,3}(`{3,}|~{3,}|\$\$)/.exec(line)?.[1] ?? ''
    if (fence) fence = mark.startsWith(fence) ? '' : fence
    else if (mark && !(mark === '$$' && line.trim().length > 4 && line.trim().endsWith('$$'))) fence = mark
    else if (line.trim() === '' && at > 0) cut = at
    at += line.length + 1
  }
  return [text.slice(0, cut), text.slice(cut)]
}
