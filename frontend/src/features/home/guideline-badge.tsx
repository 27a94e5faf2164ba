import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { Campaign } from '@/api'

import styles from './home.module.css'

/** The way to the guideline; said with more weight where it is new to the reader. */
export function GuidelineBadge({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const { id, name, guideline_version: version, acknowledged_version: read } = campaign
  if (version === 0) return null
  const words = read === 0 ? t('home.guidelineNew') : read < version ? t('home.guidelineChanged', { version }) : t('guideline.title')
  return (
    <Link href={`/guidelines/${id}`} className={styles.badge} data-news={read < version} aria-label={`${words} – ${name}`}>
      {words}
    </Link>
  )
}
