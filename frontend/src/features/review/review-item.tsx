import { Button, Textarea } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, reviewDemonstration, type ReviewedDemonstration } from '@/api'
import { Conversation } from '@/components/conversation'
import { KeyHint } from '@/components/key-hint'
import { Notice } from '@/components/notice'
import { announce } from '@/shared/announce'
import { dropDraft, keepDraft, readDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'
import { keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'

import styles from './review.module.css'

type Props = {
  demonstration: ReviewedDemonstration
  person: number
  onDecided: (next: ReviewedDemonstration | null) => void
  /** It is no longer this reviewer's: show what is. */
  onGoOn: () => void
  onSignedOut: () => void
}

/** One demonstration, to accept or to return with a reason. */
export function ReviewItem({ demonstration, person, onDecided, onGoOn, onSignedOut }: Props) {
  const { t } = useTranslation()
  const { prompt, turns, earlier } = demonstration
  const draftKey = useMemo(() => ({ kind: 'review', person, id: demonstration.id }) as const, [person, demonstration.id])
  const [reason, setReason] = useState(() => String(readDraft(draftKey) ?? ''))
  const [isMissing, setMissing] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const hasReason = reason.trim() !== ''

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

  async function decide(verdict: 'ACCEPTED' | 'RETURNED') {
    if (isPending) return
    setPending(true)
    setError(null)
    try {
      const { next } = await reviewDemonstration(demonstration.id, {
        verdict,
        reason: reason.trim(),
        revision: demonstration.revision ?? 0,
      })
      dropDraft(draftKey)
      announce(t(verdict === 'ACCEPTED' ? 'review.accepted' : 'review.returned'))
      onDecided(next)
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.isSignedOut) onSignedOut()
      setError(refusal)
      setPending(false)
    }
  }

  function accept() {
    // Words that were written are meant for the author: they are not thrown away by one key.
    if (hasReason) return announce(t('review.acceptBlocked'))
    void decide('ACCEPTED')
  }

  function sendBack() {
    if (hasReason) return void decide('RETURNED')
    setMissing(true)
    field.current?.focus()
  }

  useCommands(['review', 'everywhere'], {
    accept,
    writeReason: () => field.current?.focus(),
    submitAnywhere: sendBack,
  })

  const isLost = error instanceof ApiError && error.code === 'lease_lost'

  return (
    <div className={styles.item}>
      <section aria-label={t('prompt')} className={styles.prompt}>
        <h1 ref={heading} tabIndex={-1}>{t('review.title')}</h1>
        <Conversation messages={prompt.messages} language={prompt.language} />
      </section>

      <section aria-label={t('review.demonstration')} className={styles.demonstration}>
        <Conversation messages={turns} language={prompt.language} />
      </section>

      {earlier.length > 0 && (
        <section className={styles.earlier} aria-label={t('review.earlier')}>
          <h2>{t('review.earlier')}</h2>
          <ul>
            {earlier.map(({ reviewed_at, reason: said }) => (
              <li key={reviewed_at} className="plain-text" dir="auto">{said}</li>
            ))}
          </ul>
        </section>
      )}

      <div className={styles.reason}>
        <Textarea ref={field} label={t('review.reason')} value={reason} autosize minRows={2} maxLength={2000} dir="auto"
          error={isMissing ? t('review.reasonMissing') : null} onChange={(event) => write(event.currentTarget.value)} />
      </div>

      {error !== null && (
        <Notice kind={isLost ? 'warning' : 'error'} words={wordsFor(error, t)}
          {...(isLost && { action: { label: t('rank.goOn'), run: onGoOn } })} />
      )}

      <section className={styles.bar} aria-label={t('review.bar')}>
        <p className="muted">{hasReason && t('review.acceptBlocked')}</p>
        <Button variant="default" onClick={sendBack} disabled={isPending} aria-keyshortcuts="Control+Enter">
          {t('review.return')}
          <KeyHint keys={keysFor('submitAnywhere')} />
        </Button>
        <Button onClick={accept} loading={isPending} disabled={hasReason} aria-keyshortcuts="Y">
          {t('review.accept')}
          <KeyHint keys={keysFor('accept')} />
        </Button>
      </section>
    </div>
  )
}
