import { Textarea } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { Markdown } from '@/components/markdown'

import styles from './demonstrate.module.css'
import type { Draft } from './turns'

type Props = {
  draft: Draft
  place: number
  language: string | undefined
  isPreview: boolean
  problem: string | null
  /** Null where it cannot be removed. */
  removeLabel: string | null
  onWrite: (content: string) => void
  onRemove: () => void
}

/** One turn being written. */
export function TurnEditor({ draft, place, language, isPreview, problem, removeLabel, onWrite, onRemove }: Props) {
  const { t } = useTranslation()
  const id = `turn-${draft.key}`
  const label = t(draft.role === 'user' ? 'demonstrate.asUser' : 'demonstrate.asAssistant')
  return (
    <li className={styles.turn} data-role={draft.role}>
      <div className={styles.turnHead}>
        <label htmlFor={id} className="speaker">{label}</label>
        {removeLabel && <button type="button" className="quiet" onClick={onRemove}>{removeLabel}</button>}
      </div>
      {isPreview ? (
        <div className={styles.preview} id={id} role="group" aria-label={label}>
          {draft.content.trim() ? <Markdown text={draft.content} language={language} /> : <p className="muted">{t('demonstrate.nothingYet')}</p>}
        </div>
      ) : (
        <Textarea id={id} value={draft.content} autosize minRows={draft.role === 'user' ? 2 : 5} dir="auto" spellCheck
          data-turn={draft.key} aria-label={t('demonstrate.turn', { label, place })} error={problem}
          lang={language || undefined} classNames={{ input: styles.text! }}
          placeholder={t(draft.role === 'user' ? 'demonstrate.userPlaceholder' : 'demonstrate.assistantPlaceholder')}
          onChange={(event) => onWrite(event.currentTarget.value)} />
      )}
    </li>
  )
}
