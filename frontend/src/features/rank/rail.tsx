import { useTranslation } from 'react-i18next'

import { keepFocus } from '@/components/keep-focus'

import styles from './rank.module.css'
import { rankOf } from './tiers'
import { focusCard } from './use-rank-commands'
import type { Ranking } from './use-ranking'
import type { View } from './use-view'

/** The responses by letter, each with its place: to go to one where not all are in sight. */
export function Rail({ ranking: { ids, letterOf, ballot }, view }: { ranking: Ranking; view: View }) {
  const { t } = useTranslation()

  function go(id: number) {
    if (view.view === 'focus') return view.focus(id)
    focusCard(id)
  }

  return (
    <nav className={styles.rail} aria-label={t('rank.rail')} data-view={view.view}>
      {ids.map((id) => {
        const rank = rankOf(ballot.tiers, id)
        const isUnacceptable = ballot.unacceptable.includes(id)
        return (
          <button key={id} type="button" onMouseDown={keepFocus} onClick={() => go(id)}
            aria-current={(view.view === 'focus' && view.focused === id) || undefined}
            data-state={isUnacceptable ? 'unacceptable' : rank !== null ? 'ranked' : 'open'}>
            <span className="visually-hidden">{t('rank.response', { letter: letterOf(id) })} </span>
            <b aria-hidden>{letterOf(id)}</b>
            {rank !== null && <span>{t('rank.ordinal', { count: rank, ordinal: true })}</span>}
            {isUnacceptable && <span><span aria-hidden>✗</span><span className="visually-hidden">{t('rank.unacceptable')}</span></span>}
          </button>
        )
      })}
    </nav>
  )
}
