import { useDeferredValue } from 'react'
import { useTranslation } from 'react-i18next'

import { GrowingTextarea } from '@/components/growing-textarea'
import { Markdown } from '@/components/markdown'
import { ariaKeysFor } from '@/shared/keymap'

import styles from './demonstrate.module.css'
import { TurnHints } from './turn-hints'
import type { Draft } from './turns'

type Props = {
  draft: Draft
  place: number
  language: string | undefined
  isPreview: boolean
  /** It stands where it is the other one's turn. */
  isOutOfTurn: boolean
  problem: string | null
  /** How many turns go when it is removed; 0 where it cannot be. */
  removes: number
  isFirst: boolean
  isLast: boolean
  onWrite: (content: string) => void
  onRemove: () => void
  onMove: (by: -1 | 1) => void
  onSwitch: () => void
}

/** One turn being written. */
export function TurnEditor(props: Props) {
  const { draft, place, language, isPreview, isOutOfTurn, problem, onWrite, onSwitch } = props
  const { t } = useTranslation()
  const label = t(draft.role === 'user' ? 'demonstrate.asUser' : 'demonstrate.asAssistant')
  const id = `turn-${draft.key}`
  return (
    <li className={styles.turn} data-role={draft.role} data-turn={draft.key} data-out-of-turn={isOutOfTurn}>
      <TurnHead {...props} label={label} />
      {isOutOfTurn && (
        <p className={styles.outOfTurn}>
          {t(draft.role === 'user' ? 'demonstrate.assistantsTurn' : 'demonstrate.usersTurn')}
          <button type="button" className="quiet" onClick={onSwitch}>
            {t(draft.role === 'user' ? 'demonstrate.makeAssistants' : 'demonstrate.makeUsers')}
          </button>
        </p>
      )}
      <div className={styles.sides} data-preview={isPreview}>
        <div className={styles.writing}>
          <GrowingTextarea id={id} value={draft.content} minRows={draft.role === 'user' ? 2 : 5} dir="auto" spellCheck
            aria-label={t('demonstrate.turn', { label, place })} lang={language || undefined}
            aria-keyshortcuts={[ariaKeysFor('turnUp'), ariaKeysFor('turnDown')].join(' ')} aria-invalid={problem !== null}
            aria-describedby={problem ? `${id}-problem` : undefined}
            placeholder={t(draft.role === 'user' ? 'demonstrate.userPlaceholder' : 'demonstrate.assistantPlaceholder')}
            onChange={(event) => onWrite(event.currentTarget.value)} />
          {problem && <p id={`${id}-problem`} className="error-text">{problem}</p>}
          <TurnHints text={draft.content} language={language} />
        </div>
        {isPreview && <Preview text={draft.content} language={language} label={t('demonstrate.previewOf', { place })} />}
      </div>
    </li>
  )
}

function TurnHead({ place, label, draft, removes, isFirst, isLast, onRemove, onMove }: Props & { label: string }) {
  const { t } = useTranslation()
  return (
    <div className={styles.turnHead}>
      <label htmlFor={`turn-${draft.key}`} className="speaker">{label}</label>
      <span className={styles.turnTools}>
        {!(isFirst && isLast) && (
          // Not really disabled at the ends: a button that is loses the focus.
          <>
            <button type="button" className="quiet" aria-disabled={isFirst} onClick={() => onMove(-1)}
              aria-label={t('demonstrate.moveUp', { place })} title={t('demonstrate.moveUp', { place })}>↑</button>
            <button type="button" className="quiet" aria-disabled={isLast} onClick={() => onMove(1)}
              aria-label={t('demonstrate.moveDown', { place })} title={t('demonstrate.moveDown', { place })}>↓</button>
          </>
        )}
        {removes > 0 && (
          <button type="button" className="quiet" onClick={onRemove}>
            {t(removes === 1 ? 'demonstrate.remove' : 'demonstrate.removeWithNext')}
          </button>
        )}
      </span>
    </div>
  )
}

/** What the Markdown means, a moment behind the typing. */
function Preview({ text, language, label }: { text: string; language: string | undefined; label: string }) {
  const { t } = useTranslation()
  const shown = useDeferredValue(text)
  return (
    <div className={styles.preview} role="group" aria-label={label}>
      {shown.trim() ? <Markdown text={shown} language={language} /> : <p className="muted">{t('demonstrate.nothingYet')}</p>}
    </div>
  )
}
