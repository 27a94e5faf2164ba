import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'

import { deviceKeeps, onDeviceKeeps } from '@/shared/device'
import type { OutboxState } from '@/shared/outbox'
import { useOnline } from '@/shared/use-online'
import { whenIdle } from '@/shared/when-idle'

import { useOutbox } from './outbox'

const loadDialog = () => import('./outbox-dialog')
const OutboxDialog = lazy(loadDialog)

/** Whether all that was handed in is stored, in a few honest words; behind them, what is not. */
export function SaveState({ person }: { person: number }) {
  const { t } = useTranslation()
  const { state } = useOutbox(person)
  const isOnline = useOnline()
  const isDeviceKeeping = useSyncExternalStore(onDeviceKeeps, deviceKeeps)
  const [isOpen, setOpen] = useState(false)
  // Who is offline wants to see it most.
  useEffect(() => whenIdle(loadDialog), [])
  const { kind, count } = summaryOf(state, isOnline)
  const isKept = isDeviceKeeping && (state.isKept || count === 0)

  return (
    <>
      <button type="button" className="quiet save-state" data-kind={isKept ? kind : 'refused'} onClick={() => setOpen(true)}>
        <span role="status">
          {t(`safe.state.${kind}`, { count })}{!isKept && ` · ${t('safe.state.notKept')}`}
        </span>
      </button>
      {isOpen && <Suspense><OutboxDialog person={person} onClose={() => setOpen(false)} /></Suspense>}
    </>
  )
}

type Summary = { kind: 'saved' | 'saving' | 'waiting' | 'offline' | 'offlineWaiting' | 'refused'; count: number }

export function summaryOf({ items, sending, isUnreachable }: OutboxState, isOnline: boolean): Summary {
  const refused = items.filter(({ refusal }) => refusal !== null).length
  const waiting = items.length - refused
  const isOffline = !isOnline || isUnreachable
  if (isOffline && waiting > 0) return { kind: 'offlineWaiting', count: waiting }
  if (refused > 0) return { kind: 'refused', count: refused }
  if (isOffline) return { kind: 'offline', count: 0 }
  if (waiting === 0) return { kind: 'saved', count: 0 }
  return { kind: sending === null ? 'waiting' : 'saving', count: waiting }
}
