import { useDeferredValue } from 'react'
import { useTranslation } from 'react-i18next'

import WordDiff from '@/components/word-diff'

import styles from './rank.module.css'

type Props = {
  original: string
  text: string
  letter: string
  language: string | undefined
  /** What is not the best any more is not handed in. */
  isBest: boolean
  onEdit: (text: string) => void
  onLeave: () => void
}

/** The best response as the labeler would have it, and what they changed. */
export default function EditBest({ original, text, letter, language, isBest, onEdit, onLeave }: Props) {
  const { t } = useTranslation()
  // Typing comes before showing what it changes.
  const shown = useDeferredValue(text)
  return (
    <div className={styles.edit}>
      <label className={styles.field}>
        <span>{t('closing.edited', { letter })}</span>
        <textarea autoFocus rows={6} value={text} lang={language || undefined} dir="auto"
          onChange={(event) => onEdit(event.currentTarget.value)} />
      </label>
      <div className={styles.edited}>
        <span className="muted">{t('closing.changes')}</span>
        <WordDiff before={original} after={shown} language={language} />
      </div>
      <p className={styles.markActions}>
        {!isBest && <span role="status">{t('closing.notBest', { letter })}</span>}
        <button type="button" className="quiet" onClick={onLeave}>{t('closing.leaveUnedited')}</button>
      </p>
    </div>
  )
}
