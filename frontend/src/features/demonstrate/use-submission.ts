import { useRef, useState } from 'react'

import { ApiError, type Demonstration, submitDemonstration, type Turn } from '@/api'

type Options = {
  demonstration: Demonstration
  seconds: () => number
  onSubmitted: (next: Demonstration | null) => void
  onSignedOut: () => void
}

/** Handing it in: once, however often it is tried. */
export function useSubmission({ demonstration, seconds, onSubmitted, onSignedOut }: Options) {
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)
  const idempotencyKey = useRef<{ text: string; key: string } | null>(null)

  /** The same text sent again carries the same key, so that it is stored once. */
  function keyFor(text: string): string {
    if (idempotencyKey.current?.text !== text) idempotencyKey.current = { text, key: crypto.randomUUID() }
    return idempotencyKey.current.key
  }

  async function send(turns: Turn[]) {
    if (isPending) return
    setPending(true)
    setError(null)
    try {
      const { next } = await submitDemonstration(demonstration.id, {
        turns,
        seconds_spent: seconds(),
        idempotency_key: keyFor(JSON.stringify(turns)),
      })
      onSubmitted(next)
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.isSignedOut) onSignedOut()
      setError(refusal)
      setPending(false)
    }
  }

  return { send, error, isPending }
}
