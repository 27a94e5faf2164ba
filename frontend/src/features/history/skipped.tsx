import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'

import { listSkipped, type SkippedDemonstration, takeUpDemonstration } from '@/api'
import { wordsFor } from '@/shared/errors'
import { momentOf } from '@/shared/moments'

import styles from './history.module.css'

/** Demonstrations that I passed on, and can write after all; nothing where there are none. */
export function Skipped() {
  const { t } = useTranslation()
  const { data } = useQuery({ queryKey: ['skipped'], queryFn: listSkipped, refetchOnMount: 'always' })
  if (!data || data.length === 0) return null
  return (
    <details className={styles.skipped}>
      <summary>{t('history.skipped', { count: data.length })}</summary>
      <ul className={styles.rows}>
        {data.map((demonstration) => <SkippedRow key={demonstration.id} demonstration={demonstration} />)}
      </ul>
    </details>
  )
}

function SkippedRow({ demonstration }: { demonstration: SkippedDemonstration }) {
  const { t, i18n } = useTranslation()
  const { id, campaign, campaign_name, excerpt, skipped_at } = demonstration
  const [, go] = useLocation()
  const takeUp = useMutation({ mutationFn: () => takeUpDemonstration(id), onSuccess: () => go(`/demonstrate/${campaign}`) })
  return (
    <li className={styles.row}>
      <p className="muted">{campaign_name} · {momentOf(skipped_at, i18n.language)}</p>
      <p className={styles.excerpt} dir="auto" id={`skipped-${id}`}>{excerpt}</p>
      {takeUp.error && <p role="alert" className="error-text">{wordsFor(takeUp.error, t)}</p>}
      <p>
        <Button variant="default" size="compact-md" loading={takeUp.isPending} id={`take-up-${id}`}
          aria-labelledby={`take-up-${id} skipped-${id}`} onClick={() => takeUp.mutate()}>
          {t('history.takeUp')}
        </Button>
      </p>
    </li>
  )
}
