import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { Campaign } from '@/api'

import { WorkKind } from './work-card'

/** On the start page: practice comes before the rankings of a campaign, for whoever has some left. */
export function PracticeKind({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const { id, name, practice_left } = campaign
  if (practice_left === 0) return null
  return (
    <WorkKind href={`/practice/${id}`} action={t('practice.open')} name={name} explain={t('practice.kindExplain')}
      waiting={t('practice.first', { count: practice_left })} today={0} isIdle={false} />
  )
}

/** Instead of the work: why there is none yet, and the way to it. */
export function PracticeFirst({ campaign, explain }: { campaign: number; explain: string }) {
  const { t } = useTranslation()
  return (
    <div className="empty">
      <h1>{t('practice.needed')}</h1>
      <p>{explain}</p>
      <Link href={`/practice/${campaign}`}>{t('practice.open')}</Link>
    </div>
  )
}
