import { Button } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, type Demonstration, submitDemonstration } from '@/api'
import { Conversation } from '@/components/conversation'
import { KeyHint } from '@/components/key-hint'
import { Notice } from '@/components/notice'
import { announce } from '@/shared/announce'
import { readDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'
import { keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'
import { useVisibleSeconds } from '@/shared/visible-time'

import styles from './demonstrate.module.css'
import { TurnEditor } from './turn-editor'
import { add, type Draft, nextRole, problem, remove, turnsOf, write } from './turns'
import { useSavedTurns } from './use-saved-turns'

type Props = {
  demonstration: Demonstration
  person: number
  onSubmitted: (next: Demonstration | null) => void
  onSignedOut: () => void
}

/** One demonstration: the prompt above, and the conversation that the labeler goes on writing, both sides of it. */
export function DemonstrationItem({ demonstration, person, onSubmitted, onSignedOut }: Props) {
  const { t } = useTranslation()
  const { prompt } = demonstration
  const [secondsBefore] = useState(() => keptSeconds(person, demonstration.id))
  const seconds = useVisibleSeconds(secondsBefore)
  const { drafts, change, saved, settle, close } = useSavedTurns({ demonstration, person, seconds, onSignedOut })

  const [isPreview, setPreview] = useState(false)
  const [removed, setRemoved] = useState<Draft[] | null>(null)
  const [blamed, setBlamed] = useState<ReturnType<typeof problem>>(null)
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)
  const idempotencyKey = useRef<{ text: string; key: string } | null>(null)
  const heading = useRef<HTMLHeadingElement>(null)

  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  function focusTurn(key: number) {
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-turn="${key}"]`)?.focus())
  }

  function addTurn() {
    const next = add(drafts)
    setPreview(false)
    change(next)
    focusTurn(next.at(-1)!.key)
  }

  function removeTurn(key: number) {
    setRemoved(drafts)
    change(remove(drafts, key))
    announce(t('demonstrate.removed'))
  }

  function bringBack() {
    if (removed) change(removed)
    setRemoved(null)
  }

  async function submit() {
    const found = problem(drafts)
    setBlamed(found)
    if (found) {
      setPreview(false)
      focusTurn(found.key)
      return
    }
    if (isPending || saved === 'conflict') return
    setPending(true)
    setError(null)
    try {
      const turns = turnsOf(drafts)
      const { next } = await submitDemonstration(demonstration.id, {
        turns,
        seconds_spent: seconds(),
        idempotency_key: keyFor(JSON.stringify(turns)),
      })
      close()
      announce(t('demonstrate.submitted'))
      onSubmitted(next)
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.isSignedOut) onSignedOut()
      setError(refusal)
      setPending(false)
    }
  }

  /** The same text sent again carries the same key, so that it is stored once. */
  function keyFor(text: string): string {
    if (idempotencyKey.current?.text !== text) idempotencyKey.current = { text, key: crypto.randomUUID() }
    return idempotencyKey.current.key
  }

  useCommands(['demonstrate', 'everywhere'], {
    submitAnywhere: () => void submit(),
    preview: () => setPreview(!isPreview),
    addTurn,
  })

  return (
    <div className={styles.item}>
      <section aria-label={t('prompt')} className={styles.prompt}>
        <h1 ref={heading} tabIndex={-1}>{t('demonstrate.title')}</h1>
        <Conversation messages={prompt.messages} language={prompt.language} />
      </section>

      {demonstration.returned_because && (
        <section className={styles.returned} aria-label={t('demonstrate.returned')}>
          <h2>{t('demonstrate.returned')}</h2>
          <p className="plain-text" dir="auto">{demonstration.returned_because}</p>
        </section>
      )}

      {saved === 'conflict' && (
        <Notice kind="warning" words={t('demonstrate.conflict')}
          action={{ label: t('demonstrate.keepMine'), run: () => settle('mine') }}
          other={{ label: t('demonstrate.takeTheirs'), run: () => settle('theirs') }} />
      )}

      <ol className={styles.turns}>
        {drafts.map((draft, index) => (
          <TurnEditor key={draft.key} draft={draft} place={index + 1} language={prompt.language} isPreview={isPreview}
            problem={blamed?.key === draft.key ? t(`demonstrate.problem.${blamed.problem}`) : null}
            removeLabel={drafts.length === 1 ? null : t(index === drafts.length - 1 ? 'demonstrate.remove' : 'demonstrate.removeWithNext')}
            onRemove={() => removeTurn(draft.key)}
            onWrite={(content) => {
              setBlamed(null)
              change(write(drafts, draft.key, content))
            }} />
        ))}
      </ol>

      <div className={styles.more}>
        <Button variant="default" onClick={addTurn} aria-keyshortcuts="Alt+N">
          {t(nextRole(drafts) === 'user' ? 'demonstrate.addUser' : 'demonstrate.addAssistant')}
        </Button>
        {removed && <button type="button" className="quiet" onClick={bringBack}>{t('demonstrate.bringBack')}</button>}
      </div>

      {error !== null && <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void submit() }} />}

      <section className={styles.bar} aria-label={t('demonstrate.bar')}>
        <p className="muted" role="status">{t(`demonstrate.saved.${saved}`)}</p>
        <Button variant="default" aria-pressed={isPreview} onClick={() => setPreview(!isPreview)}>
          {t(isPreview ? 'demonstrate.edit' : 'demonstrate.preview')}
        </Button>
        <Button onClick={() => void submit()} loading={isPending} disabled={saved === 'conflict'} aria-keyshortcuts="Control+Enter">
          {t('demonstrate.submit')}
          <KeyHint keys={keysFor('submitAnywhere')} />
        </Button>
      </section>
    </div>
  )
}

function keptSeconds(person: number, id: number): number {
  const kept = readDraft({ kind: 'demonstration', person, id }) as { seconds?: number } | null
  return Number(kept?.seconds) || 0
}
