import { lazy, type RefObject, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

import type { Asks, Assignment } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { keysFor } from '@/shared/keymap'

import { improvable } from './judgement'
import styles from './rank.module.css'
import type { Ranking } from './use-ranking'

const EditBest = lazy(() => import('./edit-best'))

/** As much as the server takes. */
const MOST_CHARACTERS = 10_000

type Props = { assignment: Assignment; asks: Asks; ranking: Ranking; note: RefObject<HTMLTextAreaElement | null> }

/** What is said of all of them at the end: why this order, and the best one improved. */
export function ClosingWords({ assignment, asks, ranking, note }: Props) {
  const { t } = useTranslation()
  const { extras, say, ballot, letterOf } = ranking
  if (asks.rationale === 'not_asked' && !asks.edit) return null

  const { edited } = extras
  const open = edited ? [edited.id] : improvable(ballot)
  return (
    <section className={styles.closing} aria-label={t('closing.title')}>
      {asks.rationale !== 'not_asked' && (
        <label className={styles.field}>
          <span>
            {t(asks.rationale === 'required' ? 'closing.rationaleRequired' : 'closing.rationale')}
            <KeyHint keys={keysFor('note')} />
          </span>
          <textarea ref={note} rows={2} value={extras.rationale} maxLength={MOST_CHARACTERS} required={asks.rationale === 'required'}
            dir="auto" onChange={(event) => say({ type: 'explain', words: event.currentTarget.value })}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()} />
        </label>
      )}
      {asks.edit && open.length === 0 && <p className="muted">{t('closing.editLater')}</p>}
      {asks.edit && open.length > 0 && !edited && (
        <p className={styles.markActions}>
          {open.map((id) => (
            <button key={id} type="button" className="quiet" onClick={() => say({ type: 'edit', id, text: textOf(assignment, id) })}>
              {t('closing.improve', { letter: letterOf(id) })}
            </button>
          ))}
        </p>
      )}
      {asks.edit && edited && (
        <Suspense>
          <EditBest key={edited.id} original={textOf(assignment, edited.id)} text={edited.text} letter={letterOf(edited.id)}
            language={assignment.prompt.language} isBest={improvable(ballot).includes(edited.id)}
            onEdit={(text) => say({ type: 'edit', id: edited.id, text })} onLeave={() => say({ type: 'leaveUnedited' })} />
        </Suspense>
      )}
    </section>
  )
}

export function textOf({ candidates }: Assignment, id: number): string {
  return candidates.find((candidate) => candidate.id === id)!.text
}
