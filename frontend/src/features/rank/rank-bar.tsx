import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import type { Asks } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { ariaKeysFor, keysFor } from '@/shared/keymap'

import { isUntouched } from './ballot'
import { Comparing } from './comparing'
import { isOnScale, type Missing } from './judgement'
import styles from './rank.module.css'
import { Scale } from './scale'
import { Tray } from './tray'
import type { Ranking } from './use-ranking'
import type { View } from './use-view'

type Props = {
  asks: Asks
  ranking: Ranking
  view: View
  missing: Missing | null
  /** Words for it, once it was tried to hand it in. */
  lacking: string | null
  isRefused: boolean
  onSubmit: () => void
  onAsk: (what: 'skip' | 'cannotJudge') => void
  canSkip: boolean
}

/** The ranking so far, and what can be done with all of it. */
export function RankBar({ asks, ranking, view, missing, lacking, isRefused, onSubmit, onAsk, canSkip }: Props) {
  const { t } = useTranslation()
  const { history, take } = ranking
  return (
    <section className={styles.bar} aria-label={t('rank.bar')}>
      {lacking && <p className={styles.lacking}>{lacking}</p>}
      <SoFar asks={asks} ranking={ranking} view={view} />
      <div className={styles.barActions}>
        {canSkip && <button type="button" className="quiet" onClick={() => onAsk('skip')}>{t('rank.skip.open')}</button>}
        <button type="button" className="quiet" onClick={() => onAsk('cannotJudge')}>{t('rank.cannotJudge.open')}</button>
        <button type="button" className="quiet" onMouseDown={keepFocus} disabled={history.past.length === 0}
          onClick={() => take({ type: 'undo' })}>
          {t('undo')}
        </button>
        <button type="button" className="quiet" onMouseDown={keepFocus} disabled={history.future.length === 0}
          onClick={() => take({ type: 'redo' })}>
          {t('redo')}
        </button>
        {/* What is missing besides places can be gone to. */}
        <Button onClick={onSubmit} disabled={missing?.what === 'place' || isRefused} aria-keyshortcuts={ariaKeysFor('submit')}>
          {missing?.what === 'place' && !isUntouched(history.present) ? t('rank.submitLeft', { count: missing.ids.length }) : t('rank.submit')}
          <KeyHint keys={keysFor('submit')} />
        </Button>
      </div>
    </section>
  )
}

function SoFar({ asks, ranking, view }: Pick<Props, 'asks' | 'ranking' | 'view'>) {
  const { t } = useTranslation()
  const { ids, ballot, letterOf, take, mode } = ranking
  if (mode === 'reject') return <p className={styles.hint} role="status">{t('rank.rejectMode')}</p>
  if (mode === 'tie') return <p className={styles.hint} role="status">{t('rank.tieMode')}</p>
  if (isOnScale(asks, ids)) return <Scale ids={ids} ballot={ballot} letterOf={letterOf} onTake={take} />
  if (view.view === 'compare') {
    return <Comparing pair={view.shown} letterOf={letterOf} onJudge={view.judge} onLeave={view.leave} />
  }
  if (ids.length === 2) {
    const [best] = ballot.tiers
    return (
      <Comparing pair={ids} letterOf={letterOf} said={best && (best.length === 2 ? null : best[0])}
        onJudge={(better) => take(better === null ? { type: 'equal' } : { type: 'prefer', id: better })} />
    )
  }
  return <Tray ballot={ballot} letterOf={letterOf} onMove={take} />
}
