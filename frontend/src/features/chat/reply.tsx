import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { ChatMessage } from '@/api'
import { Markdown } from '@/components/markdown'
import { copyText } from '@/shared/copy'

import { BetterAnswer } from './better-answer'
import styles from './chat.module.css'
import { Siblings } from './siblings'
import { Thumbs } from './thumbs'
import type { Live } from './use-chat'
import { WrittenText } from './written-text'

type ReplyProps = {
  answer: ChatMessage
  siblings: readonly number[]
  live: Live | undefined
  isBusy: boolean
  onChoose: (id: number) => void
  onAgain: () => void
  onChange: (answer: ChatMessage) => void
}

/** An answer, and what can be said of it once it is there. */
export function Reply({ answer, siblings, live, isBusy, onChoose, onAgain, onChange }: ReplyProps) {
  const { t } = useTranslation()
  const [isImproving, setImproving] = useState(false)
  const isOver = !live && answer.status !== 'WRITING'
  return (
    <article className={styles.reply} aria-label={t('chat.model')} aria-busy={!isOver}>
      <Said answer={answer} live={live} />
      {isOver && (
        <div className={styles.tools}>
          <Siblings of={siblings} at={answer.id} onChoose={onChoose} />
          {answer.text && <Copy text={answer.text} />}
          <button type="button" className={styles.tool} disabled={isBusy} onClick={onAgain}>{t('chat.again')}</button>
          {answer.text && <Thumbs answer={answer} onChange={onChange} />}
          {answer.text && !isImproving && (
            <button type="button" className={styles.tool} onClick={() => setImproving(true)}>
              {t(answer.better_answer ? 'chat.betterKept' : 'chat.better')}
            </button>
          )}
        </div>
      )}
      {isImproving && <BetterAnswer answer={answer} onChange={onChange} onClose={() => setImproving(false)} />}
    </article>
  )
}

/** The words of an answer, or what there is in their place. */
export function Said({ answer, live }: { answer: ChatMessage; live: Live | undefined }): ReactNode {
  const { t } = useTranslation()
  if (live?.text) return <div className={styles.live}><WrittenText text={live.text} /></div>
  if (live || answer.status === 'WRITING') {
    return (
      <p className={styles.thinking} role="status">
        {live?.waiting ? t('chat.waiting', { count: live.waiting }) : t('chat.thinking')}
      </p>
    )
  }
  if (!answer.text) return <p className="muted">{t('chat.nothing')}</p>
  return (
    <>
      <Markdown text={answer.text} />
      {answer.status === 'STOPPED' && <p className={styles.stopped}>{t('chat.stopped')}</p>}
    </>
  )
}

function Copy({ text }: { text: string }) {
  const { t } = useTranslation()
  const [isDone, setDone] = useState(false)
  return (
    <button type="button" className={styles.tool} onClick={() => void copyText(text).then(() => setDone(true))}>
      <span aria-live="polite">{t(isDone ? 'safe.copied' : 'safe.copy')}</span>
    </button>
  )
}
