import { useTranslation } from 'react-i18next'

import type { HistoryEntry } from '@/api'

import styles from './history.module.css'

/** How something stands, in a word; the colour only repeats it. */
export function Standing({ standing }: { standing: HistoryEntry['standing'] }) {
  const { t } = useTranslation()
  return <span className={styles.standing} data-standing={standing}>{t(`history.standing.${standing}`)}</span>
}
