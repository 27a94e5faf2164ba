import '@mantine/core/styles/Popover.css'

import { Button, Checkbox, Group, Popover, Stack, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { type ChatMessage, giveThumb, takeThumbBack } from '@/api'
import { announce } from '@/shared/announce'
import { wordsFor } from '@/shared/errors'

import styles from './chat.module.css'

const WHY_NOT = ['untrue', 'not_helpful', 'not_followed', 'unsafe', 'too_long', 'wrong_language', 'other'] as const
const WHY = ['true', 'helpful', 'well_put', 'other'] as const

/** Whether an answer was good. One click says it; why can be added, and all of it taken back. */
export function Thumbs({ answer, onChange }: { answer: ChatMessage; onChange: (answer: ChatMessage) => void }) {
  const { t } = useTranslation()
  const { thumb } = answer
  const [isAsking, setAsking] = useState<boolean | null>(null)
  const give = useMutation({
    mutationFn: (said: { is_up: boolean; reasons: string[]; note: string }) => giveThumb(answer.id, said),
    onSuccess: (given) => {
      onChange({ ...answer, thumb: given })
      announce(t('chat.thanks'))
    },
  })
  const takeBack = useMutation({ mutationFn: () => takeThumbBack(answer.id), onSuccess: () => onChange({ ...answer, thumb: null }) })

  function press(isUp: boolean) {
    if (thumb?.is_up === isUp) return takeBack.mutate()
    give.mutate({ is_up: isUp, reasons: [], note: '' })
    setAsking(isUp)
  }

  return (
    <>
      {[true, false].map((isUp) => (
        <Popover key={String(isUp)} opened={isAsking === isUp} onDismiss={() => setAsking(null)} position="top-start" trapFocus width={320}
          withRoles shadow="md">
          <Popover.Target>
            <button type="button" className={styles.tool} aria-pressed={thumb?.is_up === isUp}
              aria-label={t(isUp ? 'chat.good' : 'chat.bad')} title={t(isUp ? 'chat.good' : 'chat.bad')} onClick={() => press(isUp)}>
              <Thumb isUp={isUp} />
            </button>
          </Popover.Target>
          <Popover.Dropdown aria-label={t(isUp ? 'chat.whyGood' : 'chat.whyBad')}>
            <Why isUp={isUp} error={give.error} onSay={(reasons, note) => {
              give.mutate({ is_up: isUp, reasons, note }, { onSuccess: () => setAsking(null) })
            }} onClose={() => setAsking(null)} />
          </Popover.Dropdown>
        </Popover>
      ))}
    </>
  )
}

// Drawn, not written: not every machine has a font with these signs.
function Thumb({ isUp }: { isUp: boolean }) {
  return (
    <svg className={styles.thumb} viewBox="0 0 24 24" aria-hidden>
      <path transform={isUp ? undefined : 'rotate(180 12 12)'}
        d="M3 11h4v10H3zM7 11l4-8a3 3 0 0 1 3 3v4h5a2 2 0 0 1 2 2.4l-1.4 7A2 2 0 0 1 17.6 21H7" />
    </svg>
  )
}

type WhyProps = { isUp: boolean; error: unknown; onSay: (reasons: string[], note: string) => void; onClose: () => void }

function Why({ isUp, error, onSay, onClose }: WhyProps) {
  const { t } = useTranslation()
  const [reasons, setReasons] = useState<string[]>([])
  const [note, setNote] = useState('')
  return (
    <form onSubmit={(event) => {
      event.preventDefault()
      onSay(reasons, note)
    }}>
      <Stack gap="sm">
        <Checkbox.Group value={reasons} onChange={setReasons} label={t(isUp ? 'chat.whyGood' : 'chat.whyBad')}>
          <Stack gap={6} mt={6}>
            {(isUp ? WHY : WHY_NOT).map((reason) => <Checkbox key={reason} value={reason} label={t(`chat.reason.${reason}`)} />)}
          </Stack>
        </Checkbox.Group>
        <Textarea label={t('chat.note')} value={note} maxLength={2000} autosize minRows={2} maxRows={6}
          onChange={(event) => setNote(event.currentTarget.value)} />
        {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>{t('close')}</Button>
          <Button type="submit" disabled={reasons.length === 0 && note.trim() === ''}>{t('chat.say')}</Button>
        </Group>
      </Stack>
    </form>
  )
}
