import { useTranslation } from 'react-i18next'

import type { ReviewedDemonstration } from '@/api'
import { Conversation } from '@/components/conversation'
import { dateOf } from '@/shared/dates'

import styles from './review.module.css'

type Props = { earlier: ReviewedDemonstration['earlier']; language: string | undefined }

/** What was said of earlier versions, and those versions. Nobody's name is told. */
export function EarlierVersions({ earlier, language }: Props) {
  const { t, i18n } = useTranslation()
  return (
    <section className={styles.earlier} aria-label={t('review.earlier')}>
      <h2>{t('review.earlier')}</h2>
      <ol>
        {earlier.map(({ reviewed_at, reason, turns }) => (
          <li key={reviewed_at}>
            <p className="plain-text" dir="auto">{reason}</p>
            <details>
              <summary>{t('review.earlierVersion', { when: dateOf(reviewed_at, i18n.language) })}</summary>
              <Conversation messages={turns} language={language} />
            </details>
          </li>
        ))}
      </ol>
    </section>
  )
}
