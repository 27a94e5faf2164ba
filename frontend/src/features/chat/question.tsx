import { Button, Group } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { ChatMessage } from '@/api'
import { GrowingTextarea } from '@/components/growing-textarea'

import styles from './chat.module.css'
import { Siblings } from './siblings'

type Props = {
  message: ChatMessage
  siblings: readonly number[]
  isBusy: boolean
  onChoose: (id: number) => void
  onEdit: (text: string) => Promise<boolean>
}

/** What the user said; it can be said again in other words. */
export function Question({ message, siblings, isBusy, onChoose, onEdit }: Props) {
  const { t } = useTranslation()
  const [isEditing, setEditing] = useState(false)
  const [text, setText] = useState(message.text)

  if (isEditing) {
    return (
      <form className={styles.better} onSubmit={(event) => {
        event.preventDefault()
        void onEdit(text).then((isTaken) => isTaken && setEditing(false))
      }}>
        <GrowingTextarea value={text} minRows={2} maxLength={8000} dir="auto" autoFocus className={styles.field ?? ''}
          aria-label={t('chat.editMessage')} onChange={(event) => setText(event.currentTarget.value)} />
        <Group gap="xs" justify="flex-end">
          <Button variant="default" onClick={() => setEditing(false)}>{t('cancel')}</Button>
          <Button type="submit" disabled={isBusy || text.trim() === ''}>{t('chat.sendAgain')}</Button>
        </Group>
      </form>
    )
  }
  return (
    <article className={styles.question} aria-label={t('chat.you')}>
      <p className="plain-text" dir="auto">{message.text}</p>
      <div className={styles.tools}>
        <Siblings of={siblings} at={message.id} onChoose={onChoose} />
        <button type="button" className={styles.tool} disabled={isBusy} onClick={() => {
          setText(message.text)
          setEditing(true)
        }}>{t('chat.edit')}</button>
      </div>
    </article>
  )
}
