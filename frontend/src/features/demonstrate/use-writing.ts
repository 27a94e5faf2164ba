import { useMemo, useState } from 'react'

import type { Demonstration } from '@/api'
import { dropDraft, keepDraft, readDraft } from '@/shared/drafts'

import { type Arrangement, putAside } from './arranging'
import { type Beside, readBeside } from './beside'
import { write } from './turns'
import { useSavedTurns } from './use-saved-turns'

type Options = { demonstration: Demonstration; person: number; seconds: () => number }

/** The turns and how they are arranged, with what is kept beside them: removed ones and ticks. */
export function useWriting(options: Options) {
  const { demonstration, person } = options
  const turns = useSavedTurns(options)
  const key = useMemo(() => ({ kind: 'beside', person, id: demonstration.id }) as const, [person, demonstration.id])
  const [beside, setBeside] = useState<Beside>(() => readBeside(readDraft(key)))
  const [steps, setSteps] = useState<Arrangement['steps']>([])

  function keep(next: Beside) {
    setBeside(next)
    keepDraft(key, next)
  }

  const now: Arrangement = { turns: turns.drafts, removed: beside.removed, steps }

  function arrange(next: Arrangement) {
    if (next === now) return
    turns.change([...next.turns])
    setSteps(next.steps)
    if (next.removed !== now.removed) keep({ ...beside, removed: next.removed })
  }

  return {
    now,
    arrange,
    saved: turns.saved,
    parted: turns.parted,
    ticks: beside.ticks,
    tick: (ticks: readonly string[]) => keep({ ...beside, ticks }),
    writeTurn: (turn: number, content: string) => turns.change(write(turns.drafts, turn, content)),

    /** End a conflict; the version that is not chosen here is not thrown away either. */
    settle(choice: 'mine' | 'theirs') {
      if (choice === 'theirs') {
        keep({ ...beside, removed: putAside(now) })
        setSteps([])
      }
      turns.settle(choice)
    },

    /** It was handed in. */
    close() {
      turns.close()
      dropDraft(key)
    },
  }
}
