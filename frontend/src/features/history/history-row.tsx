import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { HistoryEntry } from '@/api'
import { momentOf } from '@/shared/moments'

import styles from './history.module.css'
import { orderInWords } from './order'
import { Standing } from './standing'
import { useIsBefore } from './use-is-before'

/** One thing that I handed in. */
export function HistoryRow({ entry }: { entry: HistoryEntry }) {
  const { t, i18n } = useTranslation()
  const { kind, id, campaign, campaign_name, excerpt, language, standing, submitted_at, correctable_until, feedback } = entry
  const place = kind === 'ranking' ? `/history/rankings/${id}` : `/history/demonstrations/${id}`
  const canCorrect = useIsBefore(correctable_until)
  const said = feedback[0]

  return (
    <li className={styles.row}>
      <p className={styles.rowHead}>
        <Standing standing={standing} />
        <span className="muted">{t(`history.kind.${kind}`)} · {campaign_name} · {momentOf(submitted_at, i18n.language)}</span>
      </p>
      <p className={styles.excerpt}>
        <Link href={place} lang={language || undefined} dir="auto">{excerpt || t('history.open')}</Link>
      </p>
      {kind === 'ranking' && <p>{orderInWords(entry, entry.shown_order, t)}</p>}
      {said?.reason && <blockquote className="plain-text" dir="auto">{said.reason}</blockquote>}
      {canCorrect && correctable_until && (
        <p className="muted">
          <Link href={`/history/rankings/${id}/correct`}>{t('history.correct')}</Link>{' '}
          {t('history.until', { moment: momentOf(correctable_until, i18n.language) })}
        </p>
      )}
      {standing === 'RETURNED' && <p><Link href={`/demonstrate/${campaign}`}>{t('history.revise')}</Link></p>}
    </li>
  )
}
