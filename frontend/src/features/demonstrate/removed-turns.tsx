import { useTranslation } from 'react-i18next'

import type { Removed } from './arranging'
import styles from './demonstrate.module.css'

type Props = { removed: readonly Removed[]; language: string | undefined; onBringBack: (key: number) => void }

/** What was taken out of the conversation: nothing that was written is lost before it is handed in. */
export function RemovedTurns({ removed, language, onBringBack }: Props) {
  const { t } = useTranslation()
  if (removed.length === 0) return null
  return (
    <details className={styles.removed}>
      <summary>{t('demonstrate.removedTurns', { count: removed.length })}</summary>
      <ul>
        {removed.map(({ draft }) => (
          <li key={draft.key}>
            <span className="speaker">{t(draft.role === 'user' ? 'demonstrate.asUser' : 'demonstrate.asAssistant')}</span>
            <p className="plain-text" dir="auto" lang={language || undefined}>{draft.content}</p>
            <button type="button" className="quiet" onClick={() => onBringBack(draft.key)}>{t('demonstrate.bringBack')}</button>
          </li>
        ))}
      </ul>
    </details>
  )
}
