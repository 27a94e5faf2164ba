import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { Campaign, Person } from '@/api'
import { Notice } from '@/components/notice'
import { PracticeKind } from '@/components/practice-first'
import { useTitle } from '@/components/use-title'
import { WorkCard, WorkCards, WorkKind } from '@/components/work-card'
import { wordsFor } from '@/shared/errors'

type Props = {
  person: Person
  campaigns: readonly Campaign[] | undefined
  error: Error | null
  onRetry: () => void
}

/** What waits for me. */
export function HomeScreen({ person, campaigns, error, onRetry }: Props) {
  const { t } = useTranslation()
  useTitle(t('home.screen'))
  const doneToday = campaigns?.reduce((sum, { ranked_today, demonstrated_today }) => sum + ranked_today + demonstrated_today, 0)

  return (
    <WorkCards>
      <h1>{t('home.hello', { name: person.display_name || person.username })}</h1>
      {doneToday !== undefined && <p className="muted">{t('home.today', { count: doneToday })}</p>}
      {error && !campaigns && <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: onRetry }} />}
      {!campaigns && !error && <p className="waiting" aria-busy="true">{t('loading')}</p>}
      {campaigns?.length === 0 && <p>{t('home.noCampaigns')}</p>}
      {campaigns?.map((campaign) => <CampaignCard key={campaign.id} campaign={campaign} />)}
      <p><Link href="/my-data">{t('ownData.title')}</Link></p>
    </WorkCards>
  )
}

function CampaignCard({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const { id, name, description, rankings_waiting, demonstrations_waiting, counted_to, ranked_today, demonstrated_today } = campaign
  return (
    <WorkCard id={id} name={name} description={description} note={campaign.is_active ? null : t('home.paused')}>
      <PracticeKind campaign={campaign} />
      <WorkKind href={`/rank/${id}`} action={t('home.rank')} name={name} explain={t('home.rankExplain')}
        waiting={t(rankings_waiting < counted_to ? 'home.rankingsWaiting' : 'home.manyRankingsWaiting', { count: rankings_waiting })} isIdle={rankings_waiting === 0}
        today={ranked_today} isPrimary={campaign.practice_left === 0} />
      <WorkKind href={`/demonstrate/${id}`} action={t('home.demonstrate')} name={name} explain={t('home.demonstrateExplain')}
        waiting={t(demonstrations_waiting < counted_to ? 'home.demonstrationsWaiting' : 'home.manyDemonstrationsWaiting', { count: demonstrations_waiting })} isIdle={demonstrations_waiting === 0}
        today={demonstrated_today} />
    </WorkCard>
  )
}
