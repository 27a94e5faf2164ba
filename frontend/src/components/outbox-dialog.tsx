import { Button, Modal, Stack } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'

import { timeOf } from '@/shared/dates'
import { draftIds, dropDraft, readDated } from '@/shared/drafts'
import type { Item } from '@/shared/outbox-store'

import { CopyButton } from './copy-button'
import { useOutbox } from './outbox'
import { excerptOf, writtenIn } from './written'

type Props = { person: number; onClose: () => void }

/** What is not stored at the server, what the server said to it, and what can be done about it. */
export default function OutboxDialog({ person, onClose }: Props) {
  const { t } = useTranslation()
  const { state } = useOutbox(person)
  const skipped = useSkipped(person)
  return (
    <Modal opened onClose={onClose} title={t('safe.outbox.title')} size="lg" lockScroll={false}
      closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack gap="md">
        {state.items.length === 0 && <p>{t('safe.outbox.nothing')}</p>}
        {!state.isKept && <p className="error-text">{t('safe.outbox.notKept')}</p>}
        <ul className="outbox">
          {state.items.map((item) => <OutboxItem key={item.key} item={item} onClose={onClose} />)}
        </ul>
        {skipped.ids.length > 0 && (
          <section aria-label={t('safe.outbox.skipped')}>
            <h3>{t('safe.outbox.skipped')}</h3>
            <ul className="outbox">
              {skipped.ids.map((id) => <SkippedItem key={id} person={person} id={id} onDrop={() => skipped.drop(id)} />)}
            </ul>
          </section>
        )}
      </Stack>
    </Modal>
  )
}

function OutboxItem({ item, onClose }: { item: Item; onClose: () => void }) {
  const { t, i18n } = useTranslation()
  const [, navigate] = useLocation()
  const { outbox } = useOutbox(item.person)
  const { key, refusal, at, path, shown } = item

  function open() {
    outbox.ask(key)
    navigate(path)
    onClose()
  }

  return (
    <li>
      <p className="plain-text" dir="auto">{excerptOf(shown)}</p>
      <p className="muted">{t('safe.outbox.handedIn', { when: timeOf(at, i18n.language) })}</p>
      {refusal && <p className="error-text">{refusal.detail || t('safe.outbox.noWords', { status: refusal.status })}</p>}
      <div className="outbox-actions">
        {refusal && <Button variant="default" size="compact-md" onClick={open}>{t('safe.outbox.open')}</Button>}
        <CopyButton text={writtenIn(shown, item.body)} />
        <Button variant="subtle" size="compact-md" onClick={() => void outbox.retry(key)}>{t('retry')}</Button>
        {refusal && (
          <Button variant="subtle" color="red" size="compact-md" onClick={() => void outbox.withdraw(key)}>{t('safe.discard')}</Button>
        )}
      </div>
    </li>
  )
}

type Skipped = { prompt?: unknown; written?: unknown }

function SkippedItem({ person, id, onDrop }: { person: number; id: string; onDrop: () => void }) {
  const { t, i18n } = useTranslation()
  const kept = readDated({ kind: 'skipped', person, id })
  if (!kept) return null
  const { prompt, written } = kept.value as Skipped
  return (
    <li>
      <p className="plain-text" dir="auto">{excerptOf({ prompt })}</p>
      <p className="muted">{t('safe.outbox.skippedAt', { when: timeOf(kept.at, i18n.language) })}</p>
      <div className="outbox-actions">
        <CopyButton text={writtenIn({ prompt }, written)} />
        <Button variant="subtle" color="red" size="compact-md" onClick={onDrop}>{t('safe.discard')}</Button>
      </div>
    </li>
  )
}

function useSkipped(person: number) {
  const [ids, setIds] = useState(() => draftIds({ kind: 'skipped', person }))
  const drop = (id: string) => {
    dropDraft({ kind: 'skipped', person, id })
    setIds(ids.filter((other) => other !== id))
  }
  return { ids, drop }
}
