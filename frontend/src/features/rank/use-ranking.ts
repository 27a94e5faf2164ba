import { useCallback, useMemo, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'

import type { Assignment } from '@/api'
import { announce } from '@/shared/announce'
import { useVisibleSeconds } from '@/shared/visible-time'

import { describe, letterIn } from './describe'
import type { Step } from './history'
import { type Judgement, openingOf } from './judgement'
import { RankingUnderWay } from './under-way'
import { useKeptRanking } from './use-kept-ranking'

/** What the screen does next with a response that is named: rank it, tie it, or call it unacceptable. */
export type Mode = 'place' | 'tie' | 'reject'

/** The ranking of one assignment under way, and what may be done with it. */
export function useRanking(assignment: Assignment, person: number, initial: Judgement | undefined) {
  const { t } = useTranslation()
  const { candidates } = assignment
  const ids = useMemo(() => candidates.map(({ id }) => id), [candidates])
  const letterOf = useCallback((id: number) => letterIn(ids, id), [ids])
  const { kept, keep } = useKeptRanking(assignment, person)
  const [opening] = useState(() => openingOf(kept, initial, ids))
  const seconds = useVisibleSeconds(opening.seconds)
  const [ranking] = useState(
    () =>
      new RankingUnderWay(ids, opening, ({ history, extras }) =>
        keep({ ballot: history.present, extras, seconds: seconds() }),
      ),
  )
  const { history, extras } = useSyncExternalStore(ranking.subscribe, ranking.snapshot)
  const [mode, setMode] = useState<Mode>('place')

  const take = useCallback(
    (taken: Step) => {
      setMode('place')
      const ballot = ranking.take(taken)
      if (ballot) announce(describe(ballot, ids, t))
      else if (taken.type === 'place') announce(t('rank.said.already', { letter: letterOf(taken.id) }))
    },
    [ranking, ids, letterOf, t],
  )

  return { ids, letterOf, history, ballot: history.present, extras, seconds, mode, setMode, take, say: ranking.say }
}

export type Ranking = ReturnType<typeof useRanking>
