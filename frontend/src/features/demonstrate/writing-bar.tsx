import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { KeyHint } from '@/components/key-hint'
import { ariaKeysFor, keysFor } from '@/shared/keymap'

import styles from './demonstrate.module.css'
import type { Saved } from './use-saved-turns'

type Props = {
  saved: Saved
  isPreview: boolean
  isPending: boolean
  canUndo: boolean
  onPreview: (isPreview: boolean) => void
  onUndo: () => void
  onSkip: () => void
  onSubmit: () => void
}

/** Where the draft is safe, and what to do with it. */
export function WritingBar({ saved, isPreview, isPending, canUndo, onPreview, onUndo, onSkip, onSubmit }: Props) {
  const { t } = useTranslation()
  return (
    <section className={styles.bar} aria-label={t('demonstrate.bar')}>
      <p className="muted" role="status">{t(`demonstrate.saved.${saved}`)}</p>
      <button type="button" className="quiet" onClick={onSkip}>{t('rank.skip.open')}</button>
      <Button variant="default" onClick={onUndo} disabled={!canUndo} aria-keyshortcuts={ariaKeysFor('undoTurns')}>{t('undo')}</Button>
      {/* Where there is room, the preview comes beside the text; elsewhere in its place. */}
      <div className={styles.views} role="group" aria-label={t('demonstrate.shown')}>
        <button type="button" aria-pressed={!isPreview} onClick={() => onPreview(false)}>{t('demonstrate.text')}</button>
        <button type="button" aria-pressed={isPreview} aria-keyshortcuts={ariaKeysFor('preview')} onClick={() => onPreview(true)}>{t('demonstrate.preview')}</button>
      </div>
      <Button onClick={onSubmit} loading={isPending} disabled={saved === 'conflict'} aria-keyshortcuts={ariaKeysFor('submitAnywhere')}>
        {t('demonstrate.submit')}
        <KeyHint keys={keysFor('submitAnywhere')} />
      </Button>
    </section>
  )
}
