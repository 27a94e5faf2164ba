import { Button, Group } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { type ChatMessage, writeBetterAnswer } from '@/api'
import { GrowingTextarea } from '@/components/growing-textarea'
import { wordsFor } from '@/shared/errors'

import styles from './chat.module.css'

type Props = { answer: ChatMessage; onChange: (answer: ChatMessage) => void; onClose: () => void }

/** What the user would rather have read: begins as the answer, to be changed. */
export function BetterAnswer({ answer, onChange, onClose }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState(answer.better_answer ?? answer.text)
  const save = useMutation({
    mutationFn: () => writeBetterAnswer(answer.id, text),
    onSuccess: ({ text: kept }) => {
      onChange({ ...answer, better_answer: kept || null })
      onClose()
    },
  })
  return (
    <form className={styles.better} onSubmit={(event) => {
      event.preventDefault()
      save.mutate()
    }}>
      <label>
        <span>{t('chat.betterExplain')}</span>
        <GrowingTextarea value={text} minRows={3} maxLength={20_000} dir="auto" autoFocus className={styles.field ?? ''}
          onChange={(event) => setText(event.currentTarget.value)} />
      </label>
      {save.error && <p role="alert" className="error-text">{wordsFor(save.error, t)}</p>}
      <Group gap="xs" justify="flex-end">
        <Button variant="default" onClick={onClose}>{t('cancel')}</Button>
        <Button type="submit" loading={save.isPending} disabled={text.trim() === answer.text.trim()}>{t('chat.keep')}</Button>
      </Group>
    </form>
  )
}
