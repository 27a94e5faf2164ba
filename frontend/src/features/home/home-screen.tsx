import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { Campaign, Person } from '@/api'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'

import styles from './home.module.css'

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
    <div className={styles.home}>
      <h1>{t('home.hello', { name: person.display_name || person.username })}</h1>
      {doneToday !== undefined && <p className="muted">{t('home.today', { count: doneToday })}</p>}
      {error && !campaigns && <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: onRetry }} />}
      {!campaigns && !error && <p className="waiting" aria-busy="true">{t('loading')}</p>}
      {campaigns?.length === 0 && <p>{t('home.noCampaigns')}</p>}
      {campaigns?.map((campaign) => <CampaignCard key={campaign.id} campaign={campaign} />)}
      <p className={styles.below}><Link href="/my-data">{t('ownData.title')}</Link></p>
    </div>
  )
}

function CampaignCard({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const { id, name, description, rankings_waiting, demonstrations_waiting, counted_to, ranked_today, demonstrated_today } = campaign
  return (
    <article className={styles.campaign} aria-labelledby={`campaign-${id}`}>
      <h2 id={`campaign-${id}`}>{name}</h2>
      {description && <p className="muted">{description}</p>}
      {!campaign.is_active && <p className="muted">{t('home.paused')}</p>}
      <ul className={styles.kinds}>
        <Kind href={`/rank/${id}`} action={t('home.rank')} name={name} explain={t('home.rankExplain')}
          waiting={t(rankings_waiting < counted_to ? 'home.rankingsWaiting' : 'home.manyRankingsWaiting', { count: rankings_waiting })} isIdle={rankings_waiting === 0}
          today={ranked_today} isPrimary />
        <Kind href={`/demonstrate/${id}`} action={t('home.demonstrate')} name={name} explain={t('home.demonstrateExplain')}
          waiting={t(demonstrations_waiting < counted_to ? 'home.demonstrationsWaiting' : 'home.manyDemonstrationsWaiting', { count: demonstrations_waiting })} isIdle={demonstrations_waiting === 0}
          today={demonstrated_today} />
      </ul>
    </article>
  )
}

type KindProps = {
  href: string
  action: string
  name: string
  explain: string
  waiting: string
  today: number
  isIdle: boolean
  isPrimary?: boolean
}

function Kind({ href, action, name, explain, waiting, today, isIdle, isPrimary }: KindProps) {
  const { t } = useTranslation()
  return (
    <li>
      <div>
        <p className={styles.waiting}>
          {waiting}
          {today > 0 && <span>{t('home.doneToday', { count: today })}</span>}
        </p>
        <p className="muted">{explain}</p>
      </div>
      <Link href={href} className={styles.go} data-primary={Boolean(isPrimary && !isIdle)} aria-label={`${action} – ${name}`}>
        {action}
      </Link>
    </li>
  )
}
