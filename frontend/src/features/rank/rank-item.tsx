import { Button } from '@mantine/core'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Assignment } from '@/api'
import { Conversation } from '@/components/conversation'
import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { announce } from '@/shared/announce'
import { keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'
import { useVisibleSeconds } from '@/shared/visible-time'

import { CandidateCard } from './candidate-card'
import { describe, letterIn } from './describe'
import { begin, type Step, step } from './history'
import { LabelersOrders } from './labelers-orders'
import type { Judgement } from './queue'
import styles from './rank.module.css'
import { type Ballot, EMPTY, isComplete, isUntouched, left, rankOf, readBallot } from './tiers'
import { Tray } from './tray'
import { useKeptRanking } from './use-kept-ranking'
import { useStickyHeight } from './use-sticky-height'

const ReasonDialog = lazy(() => import('./reason-dialog'))

type Props = {
  assignment: Assignment
  person: number
  adjudicates?: boolean
  /** What was handed in before, to be corrected. */
  initial?: Judgement
  /** The server takes it no more: it is to be looked at. */
  refused?: boolean | undefined
  onSubmit: (judgement: Judgement) => void
  /** Left out where nobody else could be given it. */
  onSkip?: (reason: string) => void
}

type Mode = 'place' | 'tie' | 'reject'

/** One assignment: the prompt, its candidates and the ranking of them. */
export function RankItem({ assignment, person, adjudicates, initial, refused, onSubmit, onSkip }: Props) {
  const { t } = useTranslation()
  const { prompt, candidates } = assignment
  const ids = useMemo(() => candidates.map(({ id }) => id), [candidates])
  const letterOf = useCallback((id: number) => letterIn(ids, id), [ids])

  const { kept, keep } = useKeptRanking(assignment, person)
  const [history, setHistory] = useState(() => begin(readBallot(kept?.ballot, ids) ?? (initial ? ballotOf(initial) : EMPTY)))
  const ballot = history.present
  const seconds = useVisibleSeconds(Number(kept?.seconds) || 0)

  const [mode, setMode] = useState<Mode>('place')
  const [asking, setAsking] = useState<'skip' | 'cannotJudge' | null>(null)
  const [isFolded, setFolded] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const sticky = useStickyHeight()

  // Runs again each time the item comes on screen from behind the one before.
  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  const take = useCallback(
    (taken: Step) => {
      setMode('place')
      const next = step(history, taken, ids)
      if (next === history) {
        if (taken.type === 'place') announce(t('rank.said.already', { letter: letterOf(taken.id) }))
        return
      }
      setHistory(next)
      keep({ ballot: next.present, seconds: seconds() })
      announce(describe(next.present, ids, t))
    },
    [history, ids, keep, seconds, letterOf, t],
  )


  function submit() {
    if (refused) return
    const missing = left(ballot, ids)
    if (missing.length > 0) {
      announce(t('rank.said.missing', { letters: missing.map(letterOf).join(', ') }))
      return
    }
    announce(t('rank.said.submitted'))
    onSubmit({
      tiers: ballot.tiers.map((tier) => [...tier]),
      unacceptable: [...ballot.unacceptable],
      cannot_judge: '',
      seconds_spent: seconds(),
    })
  }

  function choose(reason: string) {
    setAsking(null)
    if (asking === 'skip') onSkip?.(reason)
    else onSubmit({ tiers: [], unacceptable: [], cannot_judge: reason, seconds_spent: seconds() })
  }

  function at(place: number, type: Mode) {
    const id = ids[place]
    if (id === undefined) return false
    take({ type: type === 'place' ? mode : type, id })
  }

  function moveFocused(type: 'moveUp' | 'moveDown') {
    const id = focusedCandidate()
    if (id === null) return false
    take({ type, id })
  }

  function focusCard(offset: number) {
    const current = focusedCandidate()
    const from = current === null ? (offset > 0 ? -1 : 0) : ids.indexOf(current)
    const id = ids[(from + offset + ids.length) % ids.length]
    document.querySelector<HTMLElement>(`article[data-candidate="${id}"]`)?.focus()
  }

  useCommands(['rank', 'everywhere'], {
    place: (place) => at(place, 'place'),
    tie: (place) => at(place, 'tie'),
    reject: (place) => at(place, 'reject'),
    tieNext: () => setMode(mode === 'tie' ? 'place' : 'tie'),
    rejectNext: () => setMode(mode === 'reject' ? 'place' : 'reject'),
    undo: () => take({ type: 'undo' }),
    redo: () => take({ type: 'redo' }),
    clear: () => take({ type: 'clear' }),
    moveUp: () => moveFocused('moveUp'),
    moveDown: () => moveFocused('moveDown'),
    nextAnswer: () => focusCard(1),
    previousAnswer: () => focusCard(-1),
    foldPrompt: () => setFolded(!isFolded),
    skip: () => onSkip !== undefined && setAsking('skip'),
    cannotJudge: () => setAsking('cannotJudge'),
    submit,
    submitAnywhere: submit,
  })

  const onPlace = useCallback((id: number) => take({ type: 'place', id }), [take])
  const onTie = useCallback((id: number) => take({ type: 'tie', id }), [take])
  const onReject = useCallback((id: number) => take({ type: 'reject', id }), [take])
  const onTakeBack = useCallback((id: number) => take({ type: 'takeBack', id }), [take])
  const complete = isComplete(ballot, ids)

  return (
    <div className={styles.item} data-count={ids.length}>
      <section className={styles.prompt} ref={sticky} aria-label={t('prompt')}>
        <div className={styles.promptHead}>
          <h1 ref={heading} tabIndex={-1}>{t('rank.title', { count: ids.length })}</h1>
          <button type="button" className="quiet" aria-expanded={!isFolded} onMouseDown={keepFocus}
            onClick={() => setFolded(!isFolded)}>
            {t(isFolded ? 'rank.unfold' : 'rank.fold')}<KeyHint keys={keysFor('foldPrompt')} />
          </button>
        </div>
        <div className={styles.promptText} data-folded={isFolded} tabIndex={0} role="group" aria-label={t('prompt')}>
          <Conversation messages={prompt.messages} language={prompt.language} />
        </div>
      </section>

      {adjudicates && <LabelersOrders assignment={assignment.id} letterOf={letterOf} isReady={complete} />}

      <div className={styles.cards}>
        {candidates.map((candidate, place) => {
          const rank = rankOf(ballot.tiers, candidate.id)
          return (
            <CandidateCard key={candidate.id} candidate={candidate} letter={letterOf(candidate.id)} digit={place + 1}
              language={prompt.language} rank={rank} nextRank={ballot.tiers.length + 1}
              isTied={rank !== null && ballot.tiers[rank - 1]!.length > 1} isFilled={ballot.filled === candidate.id}
              isUnacceptable={ballot.unacceptable.includes(candidate.id)}
              onPlace={onPlace} onTie={onTie} onReject={onReject} onTakeBack={onTakeBack} />
          )
        })}
      </div>

      <section className={styles.bar} aria-label={t('rank.bar')}>
        {mode === 'place' ? (
          <Tray ballot={ballot} letterOf={letterOf} onMove={take} />
        ) : (
          <p className={styles.hint} role="status">{t(mode === 'tie' ? 'rank.tieMode' : 'rank.rejectMode')}</p>
        )}
        <div className={styles.barActions}>
          {onSkip && (
            <button type="button" className="quiet" onClick={() => setAsking('skip')}>{t('rank.skip.open')}</button>
          )}
          <button type="button" className="quiet" onClick={() => setAsking('cannotJudge')}>
            {t('rank.cannotJudge.open')}
          </button>
          <button type="button" className="quiet" onMouseDown={keepFocus} disabled={history.past.length === 0}
            onClick={() => take({ type: 'undo' })}>
            {t('undo')}
          </button>
          <button type="button" className="quiet" onMouseDown={keepFocus} disabled={history.future.length === 0}
            onClick={() => take({ type: 'redo' })}>
            {t('redo')}
          </button>
          <Button onClick={submit} disabled={!complete || refused === true} aria-keyshortcuts="Enter">
            {complete || isUntouched(ballot) ? t('rank.submit') : t('rank.submitLeft', { count: left(ballot, ids).length })}
            <KeyHint keys={keysFor('submit')} />
          </Button>
        </div>
      </section>

      {asking && (
        <Suspense>
          <ReasonDialog kind={asking} onClose={() => setAsking(null)} onChoose={choose} />
        </Suspense>
      )}
    </div>
  )
}

function ballotOf({ tiers, unacceptable }: Judgement): Ballot {
  return { tiers, unacceptable, filled: null }
}

function focusedCandidate(): number | null {
  const element = document.activeElement?.closest<HTMLElement>('[data-candidate]')
  return element ? Number(element.dataset.candidate) : null
}
