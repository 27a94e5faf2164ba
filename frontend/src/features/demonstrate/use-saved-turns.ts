import { useCallback, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'

import { ApiError, claimDemonstration, type Demonstration, saveDraft } from '@/api'
import { dropDraft, keepDraft, readDraft } from '@/shared/drafts'

import { begin, type Draft, isSame, readTurns, turnsOf } from './turns'

const IDLE_MS = 1500
const AGAIN_MS = 15_000

/** Where the text is safe: as it came, on this device, at the server; "failed" tries again, "conflict" asks. */
export type Saved = 'clean' | 'device' | 'saving' | 'server' | 'failed' | 'conflict'

type Kept = { turns?: unknown; revision?: number; seconds?: number } | null

type Options = { demonstration: Demonstration; person: number; seconds: () => number; onSignedOut: () => void }

/** The turns of a demonstration, kept on this device with every key and at the server when the writer pauses. */
export function useSavedTurns({ demonstration, person, seconds, onSignedOut }: Options) {
  const key = useMemo(
    () => ({ kind: 'demonstration', person, id: demonstration.id }) as const,
    [person, demonstration.id],
  )
  const [opening] = useState(() => open(demonstration, readDraft(key) as Kept))
  const [drafts, setDrafts] = useState<Draft[]>(opening.drafts)
  const [saved, setSaved] = useState<Saved>(opening.saved)
  const [theirs, setTheirs] = useState<Demonstration | null>(opening.theirs)
  const revision = useRef(demonstration.revision ?? 0)
  const isClosed = useRef(false)
  /** What is on screen now, for answers that come back later. */
  const written = useRef<Draft[]>(opening.drafts)

  const keep = useCallback(() => {
    keepDraft(key, { turns: turnsOf(written.current), revision: revision.current, seconds: seconds() })
  }, [key, seconds])

  const change = useCallback(
    (next: Draft[]) => {
      written.current = next
      setDrafts(next)
      setSaved('device')
      keep()
    },
    [keep],
  )

  const meetTheirs = useEffectEvent(async () => {
    const { demonstration: current } = await claimDemonstration(demonstration.campaign)
    if (current?.id !== demonstration.id) return setSaved('device')
    setTheirs(current)
    setSaved('conflict')
  })

  const save = useEffectEvent(async () => {
    setSaved('saving')
    try {
      const stored = await saveDraft(demonstration.id, {
        turns: turnsOf(written.current),
        revision: revision.current,
      })
      revision.current = stored.revision ?? revision.current + 1
      if (isClosed.current) return
      // Whoever went on writing meanwhile is ahead of the server again; their next pause saves that.
      setSaved((now) => (now === 'saving' ? 'server' : now))
      keep()
    } catch (error) {
      if (isClosed.current) return
      if (error instanceof ApiError && error.isSignedOut) onSignedOut()
      if (error instanceof ApiError && error.code === 'stale_revision') return meetTheirs()
      setSaved('failed')
    }
  })

  useEffect(() => {
    if (saved !== 'device' && saved !== 'failed') return
    const timer = setTimeout(() => void save(), saved === 'failed' ? AGAIN_MS : IDLE_MS)
    return () => clearTimeout(timer)
  }, [drafts, saved])

  /** End a conflict: one of the two versions is kept. */
  function settle(choice: 'mine' | 'theirs') {
    if (!theirs) return
    revision.current = theirs.revision ?? 0
    setTheirs(null)
    change(choice === 'mine' ? drafts : begin(theirs.turns))
  }

  /** Nothing is saved any more: it was handed in. */
  function close() {
    isClosed.current = true
    dropDraft(key)
  }

  return { drafts, change, saved, settle, close }
}

/** What to show first: this device's text when it continues the server's, else the server's; both when they part. */
function open(demonstration: Demonstration, kept: Kept) {
  const mine = readTurns(kept?.turns)
  if (!mine || isSame(mine, demonstration.turns)) {
    return { drafts: begin(demonstration.turns), saved: 'clean', theirs: null } as const
  }
  const continues = kept?.revision === demonstration.revision
  return continues
    ? ({ drafts: begin(mine), saved: 'device', theirs: null } as const)
    : ({ drafts: begin(mine), saved: 'conflict', theirs: demonstration } as const)
}
