import { useEffect, useRef, useState } from 'react'

import type { OwnRanking } from '@/api'
import { useOutbox } from '@/components/outbox'
import type { Judgement } from '@/features/rank/judgement'
import type { Settled } from '@/shared/outbox'
import type { Item, Refusal } from '@/shared/outbox-store'
import { newKey } from '@/shared/unique'

type Options = { assignment: OwnRanking['assignment']; person: number; onStored: () => void }

/** Handing a correction in through the outbox, as everything else that is handed in. */
export function useCorrection({ assignment, person, onStored }: Options) {
  const { outbox, state: { items } } = useOutbox(person)
  const path = `/history/rankings/${assignment.id}/correct`
  const handedIn = () => outbox.snapshot().items.filter((item) => item.path === path)
  /** What an earlier visit handed in, and the server does not have. */
  const [earlier] = useState<Item | null>(() => handedIn().at(-1) ?? null)
  const [refusal, setRefusal] = useState<Refusal | null>(earlier?.refusal ?? null)
  const [state, setState] = useState<'open' | 'sending' | 'waiting'>('open')
  const [written, setWritten] = useState(earlier?.body as Judgement | undefined)
  const sent = useRef(earlier?.key)
  const stored = useRef(onStored)

  useEffect(() => {
    stored.current = onStored
  })

  useEffect(() => {
    // It is on screen: nobody has to ask for it any more.
    outbox.askedAt(path)
    return outbox.onSettled((item: Item, outcome: Settled) => {
      if (item.key !== sent.current) return
      if (outcome.kind === 'refused') {
        setRefusal(outcome.refusal)
        setState('open')
        // Whoever goes on from an earlier one stays at work when that arrives.
      } else if (item.key !== earlier?.key) stored.current()
    })
  }, [outbox, path, earlier])

  function send(judgement: Judgement) {
    if (state !== 'open') return
    withdraw()
    const key = newKey()
    sent.current = key
    setWritten(judgement)
    setRefusal(null)
    setState('sending')
    const body = { ...judgement, idempotency_key: key }
    outbox.add({ key, kind: 'correction', target: assignment.id, path, body, shown: assignment })
    void outbox.outcomeOf(key).then(({ kind }) => kind === 'waiting' && setState('waiting'))
  }

  /** What is handed in now, or nothing, goes in the place of what was. */
  function withdraw() {
    handedIn().forEach(({ key }) => void outbox.withdraw(key))
  }

  const isWaiting = items.some(({ key, refusal }) => key === earlier?.key && !refusal)
  return { waitingSince: isWaiting ? earlier!.at : null, written, refusal, state, send, withdraw }
}
