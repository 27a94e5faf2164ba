import { useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'

import type { Asks, Assignment } from '@/api'

import { CandidateCard } from './candidate-card'
import { isOnScale } from './judgement'
import { LabelersStandings } from './labelers-orders'
import styles from './rank.module.css'
import { rankOf } from './tiers'
import type { Ranking } from './use-ranking'
import type { View } from './use-view'

type Props = {
  assignment: Assignment
  asks: Asks
  ranking: Ranking
  view: View
  /** By response: which earlier one it nearly repeats. */
  repeats: ReadonlyMap<number, number>
  showsOrders: boolean
}

/** The responses, in the order in which this labeler sees them. */
export function Cards({ assignment, asks, ranking, view, repeats, showsOrders }: Props) {
  const { t } = useTranslation()
  const { ids, ballot, extras, letterOf, take, say } = ranking
  const byId = useMemo(() => new Map(assignment.candidates.map((one) => [one.id, one])), [assignment])
  const isComparing = view.view === 'compare'
  const isPair = ids.length === 2
  const preferred = useCallback((id: number) => take({ type: 'prefer', id }), [take])
  const choice = isComparing || (isPair && !isOnScale(asks, ids)) ? 'better' : isPair ? 'none' : 'place'

  return (
    <div className={styles.cards} data-view={view.view}>
      {assignment.candidates.map((candidate, place) => {
        const { id } = candidate
        const rank = rankOf(ballot.tiers, id)
        const base = (view.look.showsChanges && byId.get(repeats.get(id) ?? 0)) || null
        return (
          <CandidateCard key={id} candidate={candidate} letter={letterOf(id)} digit={place + 1} asks={asks}
            language={assignment.prompt.language} isShown={view.shown.includes(id)} isRaw={view.isRaw}
            base={base} baseLetter={base ? letterOf(base.id) : ''} choice={choice}
            rank={rank} nextRank={ballot.tiers.length + 1}
            isTied={rank !== null && ballot.tiers[rank - 1]!.length > 1} isFilled={ballot.filled === id}
            isUnacceptable={ballot.unacceptable.includes(id)}
            ratings={extras.ratings[id]} flags={extras.flags[id]} passages={extras.spans[id]}
            onTake={take} onSay={say} onBetter={isComparing ? view.judge : preferred}>
            {showsOrders && <LabelersStandings assignment={assignment.id} id={id} name={t('rank.response', { letter: letterOf(id) })} />}
          </CandidateCard>
        )
      })}
    </div>
  )
}
