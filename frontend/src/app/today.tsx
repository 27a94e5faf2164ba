import { useTranslation } from 'react-i18next'

import type { Campaign } from '@/api'
import { usePreferences } from '@/shared/preferences'

/** What was done today, of what one set out to do. */
export function Today({ campaigns }: { campaigns: readonly Campaign[] | undefined }) {
  const { t } = useTranslation()
  const { daily_goal: goal } = usePreferences()
  if (!campaigns) return null
  const done = campaigns.reduce((sum, { ranked_today, demonstrated_today }) => sum + ranked_today + demonstrated_today, 0)
  if (goal === 0) return <span className="today">{t('today.done', { count: done })}</span>
  return (
    <span className="today">
      {t('today.ofGoal', { done, goal })}
      <progress value={Math.min(done, goal)} max={goal} aria-label={t('today.ofGoal', { done, goal })} />
    </span>
  )
}
