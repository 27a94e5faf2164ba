import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Asks, Assignment } from '@/api'
import { announce } from '@/shared/announce'

import { isComplete } from './ballot'
import { openFlags } from './card-extras'
import { Cards } from './cards'
import { ClosingWords, textOf } from './closing-words'
import { ASKS_NOTHING, cannotJudge, type Judgement, judgementOf, missingFrom } from './judgement'
import { LabelersOrders } from './labelers-orders'
import { PromptPanel } from './prompt-panel'
import { Rail } from './rail'
import { RankBar } from './rank-bar'
import styles from './rank.module.css'
import { useMissing } from './use-missing'
import { useRankCommands } from './use-rank-commands'
import { useRanking } from './use-ranking'
import { useRepeats } from './use-repeats'
import { useView } from './use-view'
import { ViewTools } from './view-tools'

const ReasonDialog = lazy(() => import('@/components/reason-dialog'))

type Props = {
  assignment: Assignment
  person: number
  /** What the campaign asks for besides the order. */
  asks?: Asks
  adjudicates?: boolean
  /** What was handed in before, to be corrected. */
  initial?: Judgement
  /** The server takes it no more: it is to be looked at. */
  refused?: boolean | undefined
  onSubmit: (judgement: Judgement) => void
  /** Left out where nobody else could be given it. */
  onSkip?: (reason: string) => void
}

/** One assignment: the prompt, its candidates and the ranking of them. */
export function RankItem({ assignment, person, asks = ASKS_NOTHING, adjudicates, initial, refused = false, onSubmit, onSkip }: Props) {
  const { t } = useTranslation()
  const ranking = useRanking(assignment, person, initial)
  const view = useView(ranking)
  const repeats = useRepeats(assignment)
  const { ids, ballot, extras, seconds, letterOf } = ranking
  const missing = missingFrom(ballot, extras, ids, asks)

  const [asking, setAsking] = useState<'skip' | 'cannotJudge' | null>(null)
  const [isFolded, setFolded] = useState(false)
  const [showsOrders, setShowsOrders] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const note = useRef<HTMLTextAreaElement>(null)
  const { lacking, goToMissing } = useMissing(missing, note, letterOf)

  // Runs again each time the item comes on screen from behind the one before.
  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  function submit() {
    if (refused || goToMissing()) return
    announce(t('rank.said.submitted'))
    // An edit that changed nothing is none.
    const isEdited = extras.edited && extras.edited.text !== textOf(assignment, extras.edited.id)
    onSubmit(judgementOf(ballot, isEdited ? extras : { ...extras, edited: null }, seconds()))
  }

  function choose(reason: string) {
    setAsking(null)
    if (asking === 'skip') onSkip?.(reason)
    else onSubmit(cannotJudge(reason, seconds()))
  }

  useRankCommands(ranking, view, {
    asks,
    hasChanges: repeats.size > 0,
    submit,
    foldPrompt: () => setFolded(!isFolded),
    skip: onSkip && (() => setAsking('skip')),
    cannotJudge: () => setAsking('cannotJudge'),
    flag: openFlags,
    note: () => (note.current?.focus(), note.current !== null),
  })

  const complete = isComplete(ballot, ids)
  return (
    <div className={styles.item} data-count={ids.length}>
      <PromptPanel prompt={assignment.prompt} title={t('rank.title', { count: ids.length })} heading={heading} isFolded={isFolded}>
        <ViewTools view={view} isPair={ids.length === 2} hasChanges={repeats.size > 0} isFolded={isFolded}
          onFold={() => setFolded(!isFolded)} />
      </PromptPanel>

      {adjudicates && (
        <LabelersOrders assignment={assignment.id} letterOf={letterOf} isReady={complete}
          isShown={showsOrders && complete} onShow={setShowsOrders} />
      )}
      <div className={styles.answers} data-view={view.view}>
        <Rail ranking={ranking} view={view} />
        <Cards assignment={assignment} asks={asks} ranking={ranking} view={view} repeats={repeats}
          showsOrders={Boolean(adjudicates) && showsOrders && complete} />
      </div>
      <ClosingWords assignment={assignment} asks={asks} ranking={ranking} note={note} />
      <RankBar asks={asks} ranking={ranking} view={view} missing={missing} lacking={lacking} isRefused={refused}
        onSubmit={submit} onAsk={setAsking} canSkip={onSkip !== undefined} />

      {asking && (
        <Suspense>
          <ReasonDialog kind={asking} onClose={() => setAsking(null)} onChoose={choose} />
        </Suspense>
      )}
    </div>
  )
}
