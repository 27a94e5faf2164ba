import { useTranslation } from 'react-i18next'

import { missing, toggle } from './beside'
import styles from './demonstrate.module.css'

type Props = {
  checklist: readonly string[]
  ticks: readonly string[]
  /** Somebody wanted to hand it in: what is missing is pointed at. */
  isAsked: boolean
  onTick: (ticks: readonly string[]) => void
}

/** What the campaign wants to be looked at before a demonstration is handed in. */
export function Checklist({ checklist, ticks, isAsked, onTick }: Props) {
  const { t } = useTranslation()
  const left = missing(checklist, ticks)
  return (
    <section className={styles.checklist} aria-labelledby="checklist-title">
      <h2 id="checklist-title">{t('demonstrate.checklist')}</h2>
      <ul>
        {checklist.map((sentence) => (
          <li key={sentence}>
            <label data-missing={isAsked && left.includes(sentence)} dir="auto">
              <input type="checkbox" checked={!left.includes(sentence)} aria-invalid={isAsked && left.includes(sentence)}
                aria-describedby={isAsked && left.length > 0 ? 'checklist-missing' : undefined}
                onChange={() => onTick(toggle(ticks, sentence))} />
              <span>{sentence}</span>
            </label>
          </li>
        ))}
      </ul>
      {isAsked && left.length > 0 && (
        <p id="checklist-missing" role="alert" className="error-text">{t('demonstrate.checklistMissing', { count: left.length })}</p>
      )}
    </section>
  )
}
