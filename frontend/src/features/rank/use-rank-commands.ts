import { useCommands } from '@/shared/use-commands'

import { isOnScale } from './judgement'
import type { Asks } from '@/api'
import type { Mode, Ranking } from './use-ranking'
import type { View } from './use-view'

type Elsewhere = {
  asks: Asks
  hasChanges: boolean
  submit: () => void
  foldPrompt: () => void
  skip: (() => void) | undefined
  cannotJudge: () => void
  flag: (id: number) => boolean
  note: () => boolean
}

/** What the keys do while this item is on screen. */
export function useRankCommands(ranking: Ranking, view: View, elsewhere: Elsewhere): void {
  const { ids, take, mode, setMode } = ranking
  const isPair = ids.length === 2
  const onScale = isOnScale(elsewhere.asks, ids)

  function at(place: number, type: Mode) {
    const id = ids[place]
    if (id === undefined) return false
    const what = type === 'place' ? mode : type
    if (view.view === 'compare' && what === 'place') return view.judge(id)
    if (isPair && what === 'place') return !onScale && take({ type: 'prefer', id })
    if (isPair && what === 'tie') return take({ type: 'equal' })
    take({ type: what, id })
  }

  function tie() {
    if (view.view === 'compare') view.judge(null)
    else if (isPair) take({ type: 'equal' })
    else setMode(mode === 'tie' ? 'place' : 'tie')
  }

  /** The one on the left or on the right, where there are two. */
  function choose(side: 0 | 1) {
    if (isInScrolled()) return false
    if (view.view === 'compare') return view.judge(view.shown[side]!)
    if (!isPair || onScale) return false
    take({ type: 'prefer', id: ids[side]! })
  }

  function moveFocused(type: 'moveUp' | 'moveDown') {
    const id = focusedCandidate() ?? (view.view === 'focus' ? view.focused : null)
    if (id === null) return false
    take({ type, id })
  }

  function next(offset: number) {
    const among = view.view === 'focus' ? ids : view.shown
    const current = view.view === 'focus' ? view.focused : focusedCandidate()
    const from = current === null ? (offset > 0 ? -1 : 0) : among.indexOf(current)
    const id = among[(from + offset + among.length) % among.length]!
    if (view.view !== 'focus') return focusCard(id)
    view.focus(id)
    // It is in sight with the next paint.
    requestAnimationFrame(() => focusCard(id))
  }

  useCommands(onScale ? ['scale', 'rank', 'everywhere'] : ['rank', 'everywhere'], {
    weigh: (step) => step < 7 && take(stepOnScale(ids, step)),
    place: (place) => at(place, 'place'),
    tie: (place) => at(place, 'tie'),
    reject: (place) => at(place, 'reject'),
    tieNext: tie,
    rejectNext: () => setMode(mode === 'reject' ? 'place' : 'reject'),
    chooseLeft: () => choose(0),
    chooseRight: () => choose(1),
    undo: () => take({ type: 'undo' }),
    redo: () => take({ type: 'redo' }),
    clear: () => take({ type: 'clear' }),
    moveUp: () => moveFocused('moveUp'),
    moveDown: () => moveFocused('moveDown'),
    nextAnswer: () => next(1),
    previousAnswer: () => next(-1),
    focusView: view.toggleFocus,
    compareView: () => (view.canCompare || view.view === 'compare') && view.toggleCompare(),
    rawText: view.toggleRaw,
    showDifferences: () => elsewhere.hasChanges && view.toggleChanges(),
    leaveView: () => view.view !== 'columns' && view.leave(),
    flagFocused: () => elsewhere.flag(focusedCandidate() ?? view.shown[0]!),
    note: elsewhere.note,
    foldPrompt: elsewhere.foldPrompt,
    skip: () => elsewhere.skip?.() ?? false,
    cannotJudge: elsewhere.cannotJudge,
    submit: elsewhere.submit,
    submitAnywhere: elsewhere.submit,
  })
}

/** From "the first is much better" over "equal" to "the second is much better", in seven steps. */
export function stepOnScale([first, second]: readonly number[], step: number) {
  if (step === 3) return { type: 'equal' } as const
  return { type: 'prefer', id: (step < 3 ? first : second)!, strength: Math.abs(step - 3) } as const
}

export function focusCard(id: number): void {
  document.querySelector<HTMLElement>(`article[data-candidate="${id}"]`)?.focus()
}

function focusedCandidate(): number | null {
  const element = document.activeElement?.closest<HTMLElement>('[data-candidate]')
  return element ? Number(element.dataset.candidate) : null
}

/** There the arrow keys scroll. */
function isInScrolled(): boolean {
  return document.activeElement?.closest('[tabindex="0"]') !== null
}
