import { useTranslation } from 'react-i18next'

import { Notice } from '@/components/notice'
import { timeOf } from '@/shared/dates'

import styles from './demonstrate.module.css'
import type { KeptTurnsState } from './kept-turns'

type Props = { parted: NonNullable<KeptTurnsState['parted']>; onSettle: (choice: 'mine' | 'theirs') => void }

/** Both versions of a text that was changed in two places: one is on screen, the other one below the question. */
export function TwoVersions({ parted, onSettle }: Props) {
  const { t, i18n } = useTranslation()
  const { theirs, mineAt, since } = parted
  const words = t('demonstrate.conflict', { shown: timeOf(mineAt, i18n.language), other: timeOf(since, i18n.language) })
  return (
    <>
      <Notice kind="warning" words={words}
        action={{ label: t('demonstrate.keepMine'), run: () => onSettle('mine') }}
        other={{ label: t('demonstrate.takeTheirs'), run: () => onSettle('theirs') }} />
      <section className={styles.returned} aria-label={t('safe.theOther')}>
        <h2>{t('safe.theOther')}</h2>
        {theirs.turns.map(({ role, content }, place) => (
          <p key={place} className="plain-text" dir="auto"><strong>{t(`role.${role}`)}:</strong> {content}</p>
        ))}
      </section>
    </>
  )
}
