import { Button } from '@mantine/core'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { useTranslation } from 'react-i18next'

import type { Demonstration } from '@/api'
import { Conversation } from '@/components/conversation'
import { Notice } from '@/components/notice'
import { announce } from '@/shared/announce'
import { readDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'
import { useCommands } from '@/shared/use-commands'
import { useVisibleSeconds } from '@/shared/visible-time'
import { ariaKeysFor } from '@/shared/keymap'

import { add, beginWith, bringBack, goingWith, move, remove, switchRole, undo, type Way } from './arranging'
import { missing } from './beside'
import { Checklist } from './checklist'
import styles from './demonstrate.module.css'
import { RemovedTurns } from './removed-turns'
import { Suggestion } from './suggestion'
import { TurnEditor } from './turn-editor'
import { isEmpty, nextRole, outOfTurn, problem, turnsOf } from './turns'
import { TwoVersions } from './two-versions'
import { useSubmission } from './use-submission'
import { useWriting } from './use-writing'
import { WritingBar } from './writing-bar'

const ReasonDialog = lazy(() => import('@/components/reason-dialog'))

type Props = {
  demonstration: Demonstration
  person: number
  onSubmitted: (next: Demonstration | null) => void
  onSkip: (reason: string) => Promise<unknown>
  onSignedOut: () => void
}

/** One demonstration: the prompt above, and the conversation that the labeler goes on writing, both sides of it. */
export function DemonstrationItem({ demonstration, person, onSubmitted, onSkip, onSignedOut }: Props) {
  const { t } = useTranslation()
  const { prompt, checklist } = demonstration
  const [secondsBefore] = useState(() => keptSeconds(person, demonstration.id))
  const seconds = useVisibleSeconds(secondsBefore)
  const { now, arrange, writeTurn, ticks, tick, saved, parted, settle, close } = useWriting({ demonstration, person, seconds })
  const { turns } = now

  const [isPreview, setPreview] = useState(hasRoomForPreview)
  const [blamed, setBlamed] = useState<ReturnType<typeof problem>>(null)
  const [isAsked, setAsked] = useState(false)
  const [isSkipping, setSkipping] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const misplaced = outOfTurn(turns)

  const { send, error, isPending } = useSubmission({ demonstration, person, seconds, onSubmitted: (next) => {
    close()
    announce(t('demonstrate.submitted'))
    onSubmitted(next)
  } })

  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  function showText() {
    if (!hasRoomForPreview()) setPreview(false)
  }

  function addTurn() {
    const next = add(now)
    // At once: who types on does so in the new turn.
    flushSync(() => {
      showText()
      arrange(next)
    })
    focusOn(`[data-turn="${next.turns.at(-1)!.key}"] textarea`)
  }

  function removeTurn(key: number) {
    arrange(remove(now, key))
    announce(t('demonstrate.removed'))
  }

  function moveTurn(key: number, by: Way) {
    const next = move(now, key, by)
    if (next === now) return
    const focused = document.activeElement
    flushSync(() => arrange(next))
    // The browser takes the focus away from what changes its place.
    if (focused instanceof HTMLElement) focused.focus()
    const place = next.turns.findIndex((turn) => turn.key === key) + 1
    announce(t(outOfTurn(next.turns).length > 0 ? 'demonstrate.movedOutOfTurn' : 'demonstrate.moved', { place }))
  }

  function moveFocused(by: Way) {
    const turn = document.activeElement?.closest<HTMLElement>('[data-turn]')
    if (!turn) return false
    moveTurn(Number(turn.dataset.turn), by)
    return true
  }

  function undoLast() {
    if (now.steps.length === 0) return false
    arrange(undo(now))
    announce(t('demonstrate.undone'))
    return true
  }

  function submit() {
    const found = problem(turns)
    flushSync(() => {
      setBlamed(found)
      setAsked(true)
      if (found) showText()
    })
    if (found) {
      focusOn(`[data-turn="${found.key}"] textarea`)
    } else if (missing(checklist, ticks).length > 0) {
      focusOn('[data-missing="true"] input')
    } else if (saved !== 'conflict') {
      void send(turnsOf(turns))
    }
  }

  useCommands(['demonstrate', 'everywhere'], {
    submitAnywhere: submit,
    preview: () => setPreview(!isPreview),
    addTurn,
    turnUp: () => moveFocused(-1),
    turnDown: () => moveFocused(1),
    undoTurns: undoLast,
  })

  return (
    <div className={styles.item} data-aside={checklist.length > 0}>
      <div className={styles.columns}>
        <div className={styles.main}>
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

          {parted && <TwoVersions parted={parted} onSettle={settle} />}

          <ol className={styles.turns}>
            {turns.map((draft, index) => (
              <TurnEditor key={draft.key} draft={draft} place={index + 1} language={prompt.language} isPreview={isPreview}
                isOutOfTurn={misplaced.includes(draft)}
                problem={blamed?.key === draft.key ? t(`demonstrate.problem.${blamed.problem}`) : null}
                removes={goingWith(now, draft.key).length} isFirst={index === 0} isLast={index === turns.length - 1}
                onRemove={() => removeTurn(draft.key)} onMove={(by) => moveTurn(draft.key, by)}
                onSwitch={() => arrange(switchRole(now, draft.key))}
                onWrite={(content) => {
                  setBlamed(null)
                  writeTurn(draft.key, content)
                }} />
            ))}
          </ol>

          <div className={styles.more}>
            <Button variant="default" onClick={addTurn} aria-keyshortcuts={ariaKeysFor('addTurn')}>
              {t(nextRole(turns) === 'user' ? 'demonstrate.addUser' : 'demonstrate.addAssistant')}
            </Button>
            <Suggestion demonstration={demonstration} isFresh={turns.every(isEmpty)} onSignedOut={onSignedOut}
              onUse={(text) => arrange(beginWith(now, text))} />
            <RemovedTurns removed={now.removed} language={prompt.language} onBringBack={(key) => arrange(bringBack(now, key))} />
          </div>
        </div>
        {checklist.length > 0 && <Checklist checklist={checklist} ticks={ticks} isAsked={isAsked} onTick={tick} />}
      </div>

      {error !== null && <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: submit }} />}

      <WritingBar saved={saved} isPreview={isPreview} isPending={isPending} canUndo={now.steps.length > 0}
        onPreview={setPreview} onUndo={undoLast} onSkip={() => setSkipping(true)} onSubmit={submit} />
      {isSkipping && (
        <Suspense>
          <ReasonDialog kind="skipPrompt" onClose={() => setSkipping(false)} onChoose={(reason) => {
            setSkipping(false)
            void onSkip(reason)
          }} />
        </Suspense>
      )}
    </div>
  )
}

/** Where text and preview stand side by side; the style sheet knows the same width. */
function hasRoomForPreview(): boolean {
  return matchMedia('(min-width: 1100px)').matches
}

function focusOn(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus()
}

function keptSeconds(person: number, id: number): number {
  const kept = readDraft({ kind: 'demonstration', person, id }) as { seconds?: number } | null
  return Number(kept?.seconds) || 0
}
