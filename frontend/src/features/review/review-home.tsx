import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { listReviews, type ReviewsWaiting } from '@/api'
import { CannotLoad } from '@/components/cannot-load'
import { useTitle } from '@/components/use-title'
import { WorkCard, WorkCards, WorkKind } from '@/components/work-card'

/** What waits for a reviewer. */
export default function ReviewHome() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({ queryKey: ['reviews'], queryFn: listReviews, refetchInterval: 30_000 })
  useTitle(t('review.home'))

  return (
    <WorkCards>
      <h1>{t('review.home')}</h1>
      <p className="muted">{t('review.homeExplain')}</p>
      {error && !data && <CannotLoad error={error} onRetry={() => void refetch()} />}
      {!data && !error && <p className="waiting" aria-busy="true">{t('loading')}</p>}
      {data?.length === 0 && <p>{t('home.noCampaigns')}</p>}
      {data?.map((campaign) => <CampaignCard key={campaign.id} campaign={campaign} />)}
    </WorkCards>
  )
}

function CampaignCard({ campaign }: { campaign: ReviewsWaiting }) {
  const { t } = useTranslation()
  const { id, name, description, demonstrations_waiting, adjudications_waiting, reviewed_today, adjudicated_today } = campaign
  return (
    <WorkCard id={id} name={name} description={description}>
      <WorkKind href={`/review/${id}`} action={t('review.screen')} name={name} explain={t('review.explain')}
        waiting={t('review.waiting', { count: demonstrations_waiting })} isIdle={demonstrations_waiting === 0}
        today={reviewed_today} isPrimary />
      <WorkKind href={`/adjudicate/${id}`} action={t('adjudicate.screen')} name={name} explain={t('adjudicate.homeExplain')}
        waiting={t('adjudicate.waiting', { count: adjudications_waiting })} isIdle={adjudications_waiting === 0}
        today={adjudicated_today} />
    </WorkCard>
  )
}
