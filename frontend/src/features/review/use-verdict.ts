import { useState } from 'react'

import { ApiError, reviewDemonstration, type ReviewedDemonstration } from '@/api'

export type Verdict = 'ACCEPTED' | 'RETURNED'

type Options = {
  demonstration: ReviewedDemonstration
  onDecided: (verdict: Verdict, next: ReviewedDemonstration | null) => void
  onSignedOut: () => void
}

/** Saying what is thought of a demonstration, once; a failure keeps everything as it was. */
export function useVerdict({ demonstration, onDecided, onSignedOut }: Options) {
  const [failed, setFailed] = useState<{ error: unknown; verdict: Verdict } | null>(null)
  const [isPending, setPending] = useState(false)

  async function decide(verdict: Verdict, reason: string) {
    if (isPending) return
    setPending(true)
    setFailed(null)
    try {
      const { next } = await reviewDemonstration(demonstration.id, { verdict, reason, revision: demonstration.revision ?? 0 })
      onDecided(verdict, next)
    } catch (error) {
      if (error instanceof ApiError && error.isSignedOut) onSignedOut()
      setFailed({ error, verdict })
      setPending(false)
    }
  }

  return { decide, failed, isPending }
}

/** It is no longer this reviewer's to decide, or no longer the text that they read. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'lease_lost' || error.code === 'stale_revision')
}
