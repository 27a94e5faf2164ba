import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { listReviews } from '@/api'

import styles from './home.module.css'

/** What waits for a reviewer beside their own work; nothing is shown where nothing does. */
export function ReviewsWaiting() {
  const { t } = useTranslation()
  const { data } = useQuery({ queryKey: ['reviews'], queryFn: listReviews, refetchInterval: 30_000 })
  const demonstrations = data?.reduce((sum, { demonstrations_waiting }) => sum + demonstrations_waiting, 0) ?? 0
  const disagreements = data?.reduce((sum, { adjudications_waiting }) => sum + adjudications_waiting, 0) ?? 0
  if (demonstrations + disagreements === 0) return null
  return (
    <section className={styles.next} aria-labelledby="reviews">
      <div>
        <h2 id="reviews" className={styles.strong}>{t('home.reviews')}</h2>
        {demonstrations > 0 && <p className="muted">{t('review.waiting', { count: demonstrations })}</p>}
        {disagreements > 0 && <p className="muted">{t('adjudicate.waiting', { count: disagreements })}</p>}
      </div>
      <Link href="/review" className={styles.go}>{t('home.openReviews')}</Link>
    </section>
  )
}
