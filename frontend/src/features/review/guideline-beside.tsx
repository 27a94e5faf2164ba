import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { getGuideline } from '@/api'
import { Markdown } from '@/components/markdown'

import styles from './review.module.css'

type Props = {
  campaign: number
  /** The version that the author wrote under. */
  writtenUnder: number
}

/** What authors are told, beside what one of them wrote. */
export function GuidelineBeside({ campaign, writtenUnder }: Props) {
  const { t } = useTranslation()
  const { data } = useQuery({ queryKey: ['guideline', campaign], queryFn: () => getGuideline(campaign), retry: false })
  const [hasRoom] = useState(() => matchMedia('(min-width: 1100px)').matches)
  // A campaign may have none, and a review does not depend on it.
  if (!data) return null
  return (
    <aside className={styles.guideline} aria-label={t('guideline.title')}>
      <details open={hasRoom}>
        <summary>{t('guideline.titleVersion', { version: data.version })}</summary>
        {writtenUnder !== data.version && <p className="muted">{t('review.writtenUnder', { version: writtenUnder })}</p>}
        <Markdown text={data.text} />
      </details>
    </aside>
  )
}
