import { Button } from '@mantine/core'
import { type KeyboardEvent, type RefObject, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { GrowingTextarea } from '@/components/growing-textarea'
import { KeyHint } from '@/components/key-hint'
import { keysFor } from '@/shared/keymap'

import styles from './chat.module.css'

const KEPT = 'rankwright.chat.'

type Props = {
  /** Under what name an unsent message is kept in this tab. */
  name: string
  field: RefObject<HTMLTextAreaElement | null>
  isWriting: boolean
  isSending: boolean
  onSend: (text: string) => Promise<boolean>
  onStop: () => void
}

/** Where a message is written. What is not sent yet survives a reload. */
export function Composer({ name, field, isWriting, isSending, onSend, onStop }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState(() => read(name))

  function write(next: string) {
    setText(next)
    keep(name, next)
  }

  async function send() {
    if (text.trim() === '' || isSending || isWriting) return
    const sent = text
    write('')
    if (!(await onSend(sent))) write(sent)
    field.current?.focus()
  }

  function onKeyDown(event: KeyboardEvent) {
    // Enter that chooses a Chinese word sends nothing.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || event.keyCode === 229) return
    event.preventDefault()
    void send()
  }

  return (
    <form className={styles.composer} onSubmit={(event) => {
      event.preventDefault()
      void send()
    }}>
      <GrowingTextarea ref={field} value={text} minRows={1} dir="auto" className={styles.field ?? ''} maxLength={8000}
        aria-label={t('chat.message')} placeholder={t('chat.placeholder')} onKeyDown={onKeyDown}
        onChange={(event) => write(event.currentTarget.value)} />
      {isWriting ? (
        <Button type="button" variant="default" onClick={onStop} aria-keyshortcuts="Escape">
          {t('chat.stop')}<KeyHint keys={keysFor('stopAnswer')} />
        </Button>
      ) : (
        <Button type="submit" loading={isSending} disabled={text.trim() === ''}>{t('chat.send')}</Button>
      )}
    </form>
  )
}

function read(name: string): string {
  try {
    return sessionStorage.getItem(KEPT + name) ?? ''
  } catch {
    return ''
  }
}

function keep(name: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(KEPT + name, text)
    else sessionStorage.removeItem(KEPT + name)
  } catch {
    // It is kept until the page is left.
  }
}
