import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import styles from './work-card.module.css'

/** A page of cards. */
export function WorkCards({ children }: { children: ReactNode }) {
  return <div className={styles.page}>{children}</div>
}

type CardProps = { id: number; name: string; description: string; note?: string | null; badge?: ReactNode; children: ReactNode }

/** A campaign, and the kinds of work in it. */
export function WorkCard({ id, name, description, note, badge, children }: CardProps) {
  return (
    <article className={styles.campaign} aria-labelledby={`campaign-${id}`}>
      <div className={styles.head}>
        <h2 id={`campaign-${id}`}>{name}</h2>
        {badge}
      </div>
      {description && <p className="muted" dir="auto">{description}</p>}
      {note && <p className="muted">{note}</p>}
      <ul className={styles.kinds}>{children}</ul>
    </article>
  )
}

type KindProps = {
  href: string
  action: string
  /** The campaign's, so that each link says where it leads. */
  name: string
  explain: string
  waiting: string
  today: number
  isIdle: boolean
  isPrimary?: boolean
}

/** How much of one kind waits, how much was done today, and the way to it. */
export function WorkKind({ href, action, name, explain, waiting, today, isIdle, isPrimary }: KindProps) {
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
