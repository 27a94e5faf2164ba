import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { Campaign, Unfinished } from '@/api'

import styles from './home.module.css'
import { nextWork, placeOf } from './next-work'

type Props = { campaigns: readonly Campaign[]; unfinished: readonly Unfinished[] }

/** The one thing to do next; what else was left unfinished; or that nothing waits. */
export function Continue({ campaigns, unfinished }: Props) {
  const { t } = useTranslation()
  const next = nextWork(campaigns, unfinished)
  if (!next) {
    return (
      <section className={styles.nothing} aria-labelledby="nothing">
        <h2 id="nothing">{t('home.nothing')}</h2>
        <p className="muted">{t('home.looksAgain')}</p>
      </section>
    )
  }
  const [first, ...others] = unfinished
  return (
    <section className={styles.next} aria-label={t('home.next')}>
      <div>
        <p className={styles.strong}>
          {t(next.isBegun ? `home.begun.${next.kind}` : `home.waits.${next.kind}`, { campaign: next.campaign })}
        </p>
        {first && <p className={styles.excerpt} dir="auto">{first.excerpt}</p>}
        {others.map(({ kind, campaign, campaign_name, excerpt }) => (
          <p key={`${kind} ${campaign} ${excerpt}`}>
            <Link href={placeOf(kind, campaign)}>{t(`home.begun.${kind}`, { campaign: campaign_name })}</Link>
          </p>
        ))}
      </div>
      <Link href={next.href} className={styles.go}>{t('home.continue')}</Link>
    </section>
  )
}
