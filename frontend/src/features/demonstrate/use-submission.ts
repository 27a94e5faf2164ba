import { useState } from 'react'

import type { Demonstration, Turn } from '@/api'
import { outboxOf } from '@/components/outbox'
import { newKey } from '@/shared/unique'

type Options = {
  demonstration: Demonstration
  person: number
  seconds: () => number
  /** Handed in: what comes next, as far as the server could be asked. */
  onSubmitted: (next: Demonstration | null) => void
}

/** Handing it in through the outbox: stored once, however often it is tried, and kept where nobody answers. */
export function useSubmission({ demonstration, person, seconds, onSubmitted }: Options) {
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)

  async function send(turns: Turn[]) {
    if (isPending) return
    setPending(true)
    setError(null)
    const outbox = outboxOf(person)
    const key = newKey()
    outbox.add({
      key,
      kind: 'demonstration',
      target: String(demonstration.id),
      path: `/demonstrate/${demonstration.campaign}`,
      body: { turns, seconds_spent: seconds(), idempotency_key: key },
      shown: demonstration,
    })
    const outcome = await outbox.outcomeOf(key)
    if (outcome.kind !== 'refused') {
      return onSubmitted(outcome.kind === 'stored' ? (outcome.answer as { next: Demonstration | null }).next : null)
    }
    // It is on screen still: there it is changed and handed in again.
    void outbox.withdraw(key)
    setError(outcome.refusal)
    setPending(false)
  }

  return { send, error, isPending }
}
