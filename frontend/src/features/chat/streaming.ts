import { ApiError, refusal } from '@/api'

/** What comes of an answer while it is written. */
export type News =
  | { text: string }
  | { waiting: number }
  | { status: 'FINISHED' | 'STOPPED' | 'FAILED' }

const BUSY_PAUSE_MS = 2_000

/** The news of an answer, up to its end. Where too many ask at once, it asks again by itself. */
export async function* newsOf(answer: number, signal: AbortSignal): AsyncGenerator<News> {
  const response = await fetch(`/api/chat/answers/${answer}/stream`, { signal, credentials: 'same-origin' })
  if (response.status === 503) {
    yield { waiting: 1 }
    await new Promise((resume) => setTimeout(resume, BUSY_PAUSE_MS))
    if (!signal.aborted) yield* newsOf(answer, signal)
    return
  }
  if (!response.ok || !response.body) throw await refusal(response)
  for await (const said of events(response.body)) {
    if ('code' in said) throw new ApiError({ status: 503, code: said.code, detail: said.detail })
    yield said
  }
}

type Event = News | { code: string; detail: string }

async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      const lines = (rest + (value ?? '')).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as Event
      if (done) return
    }
  } finally {
    void reader.cancel().catch(() => null)
  }
}
