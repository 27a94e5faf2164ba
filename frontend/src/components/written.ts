const EXCERPT = 160

type Message = { role?: unknown; content?: unknown }

/** The last thing that the prompt says: what something was about. */
export function excerptOf(shown: unknown): string {
  const text = String(messagesOf(shown).at(-1)?.content ?? '')
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text
}

/** What somebody wrote, with what it is about, for them to take along. */
export function writtenIn(shown: unknown, written: unknown): string {
  const prompt = messagesOf(shown)
  const candidates = (shown as { candidates?: unknown } | null)?.candidates
  return JSON.stringify({ prompt, ...(candidates ? { candidates } : {}), written }, null, 2)
}

function messagesOf(shown: unknown): Message[] {
  const messages = (shown as { prompt?: { messages?: unknown } } | null)?.prompt?.messages
  return Array.isArray(messages) ? (messages as Message[]) : []
}
