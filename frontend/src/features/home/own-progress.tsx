import { useTranslation } from 'react-i18next'

import type { Progress } from '@/api'
import { durationOf, weekdayOf } from '@/shared/moments'

import styles from './home.module.css'

/** Today against one's own goal, one's own pace, and the last seven days. Nobody else's is anywhere near. */
export function OwnProgress({ progress }: { progress: Progress }) {
  const { t, i18n } = useTranslation()
  const { days, daily_goal: goal, ranking_seconds, demonstration_seconds } = progress
  const counts = days.map(({ date, rankings, demonstrations }) => ({ date, count: rankings + demonstrations }))
  const today = counts.at(-1)?.count ?? 0
  const most = Math.max(...counts.map(({ count }) => count), 1)
  const pace = (seconds: number) => durationOf(seconds, i18n.language)

  return (
    <section className={styles.progress} aria-labelledby="progress">
      <div>
        <h2 id="progress">{goal > 0 ? t('home.todayOf', { count: today, goal }) : t('home.today', { count: today })}</h2>
        {goal > 0 && <progress className={styles.goal} max={goal} value={Math.min(today, goal)} aria-labelledby="progress" />}
        {ranking_seconds !== null && <p className="muted">{t('home.pace.ranking', { time: pace(ranking_seconds) })}</p>}
        {demonstration_seconds !== null && <p className="muted">{t('home.pace.demonstration', { time: pace(demonstration_seconds) })}</p>}
        <p className="muted">{t('home.onlyYou')}</p>
      </div>
      <ol className={styles.days} aria-label={t('home.days')}>
        {counts.map(({ date, count }) => (
          <li key={date}>
            <span className={styles.count}>{count}</span>
            <span className={styles.bar} style={{ height: `${Math.round((count / most) * 56)}px` }} aria-hidden />
            <span>{weekdayOf(date, i18n.language)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
