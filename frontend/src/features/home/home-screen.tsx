import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { type Campaign, getProgress, type Person } from '@/api'
import { Loaded } from '@/components/loaded'
import { PracticeKind } from '@/components/practice-first'
import { useTitle } from '@/components/use-title'
import { WorkCard, WorkCards, WorkKind } from '@/components/work-card'

import { ChatLink } from './chat-link'
import { Continue } from './continue'
import { GuidelineBadge } from './guideline-badge'
import styles from './home.module.css'
import { reasonToWait } from './next-work'
import { OwnProgress } from './own-progress'
import { ReviewsWaiting } from './reviews-waiting'
import { UnreadFeedback } from './unread-feedback'

type Props = {
  person: Person
  campaigns: readonly Campaign[] | undefined
  error: Error | null
  onRetry: () => Promise<unknown>
}

/** What waits for me, and how far I have got. */
export function HomeScreen({ person, campaigns, error, onRetry }: Props) {
  const { t } = useTranslation()
  const progress = useQuery({ queryKey: ['progress'], queryFn: getProgress, refetchInterval: 30_000, refetchOnMount: 'always' })
  useTitle(t('home.screen'))

  return (
    <WorkCards>
      <h1>{t('home.hello', { name: person.display_name || person.username })}</h1>
      <Loaded query={{ data: campaigns, error, refetch: onRetry as never }}
        isEmpty={(list) => list.length === 0} empty={<p>{t('home.noCampaigns')}</p>}>
        {(list) => <Continue campaigns={list} unfinished={progress.data?.unfinished ?? []} />}
      </Loaded>
      {person.role !== 'labeler' && <ReviewsWaiting />}
      <Loaded query={progress}>
        {(own) => (
          <>
            <OwnProgress progress={own} />
            {own.feedback_unread > 0 && <UnreadFeedback feedback={own.feedback} unread={own.feedback_unread} />}
          </>
        )}
      </Loaded>
      {campaigns?.map((campaign) => <CampaignCard key={campaign.id} campaign={campaign} />)}
      <ChatLink />
      <p className={styles.links}>
        <Link href="/history">{t('history.title')}</Link>
        <Link href="/my-data">{t('ownData.title')}</Link>
      </p>
    </WorkCards>
  )
}

function CampaignCard({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const { id, name, description, rankings_waiting, demonstrations_waiting, counted_to, ranked_today, demonstrated_today } = campaign
  const reason = reasonToWait(campaign)
  return (
    <WorkCard id={id} name={name} description={description} badge={<GuidelineBadge campaign={campaign} />}
      note={reason && t(`home.reason.${reason}`)}>
      <PracticeKind campaign={campaign} />
      <WorkKind href={`/rank/${id}`} action={t('home.rank')} name={name} explain={t('home.rankExplain')}
        waiting={t(rankings_waiting < counted_to ? 'home.rankingsWaiting' : 'home.manyRankingsWaiting', { count: rankings_waiting })} isIdle={rankings_waiting === 0}
        today={ranked_today} />
      <WorkKind href={`/demonstrate/${id}`} action={t('home.demonstrate')} name={name} explain={t('home.demonstrateExplain')}
        waiting={t(demonstrations_waiting < counted_to ? 'home.demonstrationsWaiting' : 'home.manyDemonstrationsWaiting', { count: demonstrations_waiting })} isIdle={demonstrations_waiting === 0}
        today={demonstrated_today} />
    </WorkCard>
  )
}
