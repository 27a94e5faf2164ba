import { Button } from '@mantine/core'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { ReviewedDemonstration } from '@/api'
import { Conversation } from '@/components/conversation'
import { GrowingTextarea } from '@/components/growing-textarea'
import { KeyHint } from '@/components/key-hint'
import { Notice } from '@/components/notice'
import { announce } from '@/shared/announce'
import { dropDraft, keepDraft, readDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'
import { ariaKeysFor, keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'

import { Changes } from './changes'
import { EarlierVersions } from './earlier-versions'
import styles from './review.module.css'
import { isGone, useVerdict } from './use-verdict'

const MOST_CHARACTERS = 2000

type Props = {
  demonstration: ReviewedDemonstration
  person: number
  /** Somebody else was found to have it by now. */
  isLost?: boolean
  guideline?: ReactNode
  onDecided: (next: ReviewedDemonstration | null) => void
  /** It is no longer this reviewer's: show what is. */
  onGoOn: () => void
  onSignedOut: () => void
}

/** One demonstration, to accept or to return with a reason. */
export function ReviewItem({ demonstration, person, isLost = false, guideline, onDecided, onGoOn, onSignedOut }: Props) {
  const { t } = useTranslation()
  const { prompt, turns, earlier } = demonstration
  const returned = earlier.findLast(({ verdict }) => verdict === 'RETURNED')
  const draftKey = useMemo(() => ({ kind: 'review', person, id: demonstration.id }) as const, [person, demonstration.id])
  const [reason, setReason] = useState(() => String(readDraft(draftKey) ?? ''))
  const [isMissing, setMissing] = useState(false)
  const [showsChanges, setShowsChanges] = useState(returned !== undefined)
  const heading = useRef<HTMLHeadingElement>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const hasReason = reason.trim() !== ''

  const { decide, failed, isPending } = useVerdict({ demonstration, onSignedOut, onDecided: (verdict, next) => {
    dropDraft(draftKey)
    announce(t(verdict === 'ACCEPTED' ? 'review.accepted' : 'review.returned'))
    onDecided(next)
  } })

  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  function write(text: string) {
    setReason(text)
    setMissing(false)
    // Kept with every key: a reason half written is still there after a reload.
    if (text) keepDraft(draftKey, text)
    else dropDraft(draftKey)
  }

  function accept() {
    // Words that were written are meant for the author: they are not thrown away by one key.
    if (hasReason) return announce(t('review.acceptBlocked'))
    void decide('ACCEPTED', '')
  }

  function sendBack() {
    if (hasReason) return void decide('RETURNED', reason.trim())
    setMissing(true)
    field.current?.focus()
  }

  useCommands(['review', 'everywhere'], {
    accept,
    writeReason: () => field.current?.focus(),
    submitAnywhere: sendBack,
    showChanges: () => returned !== undefined && (setShowsChanges(!showsChanges), true),
  })

  return (
    <div className={styles.item} data-aside={guideline !== undefined}>
      <div className={styles.columns}>
        <div className={styles.main}>
          <section aria-label={t('prompt')} className={styles.prompt}>
            <h1 ref={heading} tabIndex={-1}>{t('review.title')}</h1>
            {demonstration.is_synthetic && <Notice kind="info" words={t('review.synthetic')} />}
            <Conversation messages={prompt.messages} language={prompt.language} />
          </section>

          <section aria-label={t('review.demonstration')} className={styles.demonstration}>
            {returned && (
              <button type="button" className="quiet" aria-pressed={showsChanges} aria-keyshortcuts={ariaKeysFor('showChanges')}
                onClick={() => setShowsChanges(!showsChanges)}>
                {t('review.changes')}
                <KeyHint keys={keysFor('showChanges')} />
              </button>
            )}
            {returned && showsChanges ? (
              <Changes before={returned.turns} after={turns} language={prompt.language} />
            ) : (
              <Conversation messages={turns} language={prompt.language} />
            )}
          </section>

          {earlier.length > 0 && <EarlierVersions earlier={earlier} language={prompt.language} />}

          <div className={styles.reason}>
            <label htmlFor="reason">{t(demonstration.is_synthetic ? 'review.reasonSynthetic' : 'review.reason')}</label>
            <GrowingTextarea id="reason" ref={field} value={reason} minRows={2} maxLength={MOST_CHARACTERS} dir="auto" spellCheck
              aria-invalid={isMissing} aria-describedby={isMissing ? 'reason-missing' : undefined}
              onChange={(event) => write(event.currentTarget.value)} />
            {isMissing && <p id="reason-missing" className="error-text">{t('review.reasonMissing')}</p>}
          </div>
        </div>
        {guideline}
      </div>

      {isLost && !failed && <Notice kind="warning" words={t('review.lost')} action={{ label: t('rank.goOn'), run: onGoOn }} />}
      {failed && (
        <Notice kind={isGone(failed.error) ? 'warning' : 'error'} words={wordsFor(failed.error, t)}
          action={isGone(failed.error)
            ? { label: t('rank.goOn'), run: onGoOn }
            : { label: t('retry'), run: failed.verdict === 'ACCEPTED' ? accept : sendBack }} />
      )}

      <section className={styles.bar} aria-label={t('review.bar')}>
        <p className="muted">{hasReason && t('review.acceptBlocked')}</p>
        <Button variant="default" onClick={sendBack} disabled={isPending} aria-keyshortcuts={ariaKeysFor('submitAnywhere')}>
          {t('review.return')}
          <KeyHint keys={keysFor('submitAnywhere')} />
        </Button>
        <Button onClick={accept} loading={isPending} disabled={hasReason} aria-keyshortcuts={ariaKeysFor('accept')}>
          {t('review.accept')}
          <KeyHint keys={keysFor('accept')} />
        </Button>
      </section>
    </div>
  )
}
