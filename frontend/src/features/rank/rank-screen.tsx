import { Activity } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, type Person } from '@/api'
import { AllDone } from '@/components/all-done'
import { Notice } from '@/components/notice'
import { PracticeFirst } from '@/components/practice-first'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'

import type { Work } from './queue'
import { RankItem } from './rank-item'
import { useQueue } from './use-queue'

type Props = { campaign: number; name: string; person: Person; work?: Work }

/** Ranking the assignments of one campaign, one after the other. */
export default function RankScreen({ campaign, name, person, work = 'rank' }: Props) {
  const { t } = useTranslation()
  const { queue, state } = useQueue(campaign, person.id, work)
  useTitle(t(work === 'rank' ? 'rank.screen' : 'adjudicate.screen'), name)

  const isPaused = state.error instanceof ApiError && state.error.isPause
  const needsPractice = state.error instanceof ApiError && state.error.code === 'practice_needed'
  const failed = state.unsent.filter(({ error, isSending }) => error && !isSending)

  return (
    <>
      {failed.map(({ assignment, error }) => (
        <Notice key={assignment.id} kind="warning" words={t('rank.notSaved', { words: wordsFor(error, t) })}
          action={{ label: t('retry'), run: () => void queue.sendUnsent() }}
          other={{ label: t('rank.reopen'), run: () => queue.reopen(assignment.id) }} />
      ))}
      {isPaused && state.items.length === 0 && <AllDone title={t('paused')} explain={wordsFor(state.error, t)} />}
      {needsPractice && state.items.length === 0 && <PracticeFirst campaign={campaign} explain={wordsFor(state.error, t)} />}
      {state.status === 'failed' && !isPaused && !needsPractice && state.items.length === 0 && (
        <Notice kind="error" words={wordsFor(state.error, t)} action={{ label: t('retry'), run: () => void queue.refill() }} />
      )}
      {state.error !== null && state.items.length > 0 && <Notice kind="warning" words={wordsFor(state.error, t)} />}
      {state.isKeptAsSurplus && <Notice kind="info" words={t('rank.keptAsSurplus')} />}
      {state.status === 'loading' && <p className="waiting" aria-busy="true">{t('loading')}</p>}
      {state.status === 'ready' && state.items.length === 0 && (
        <AllDone title={t(work === 'rank' ? 'rank.done' : 'adjudicate.done')} explain={t('rank.doneExplain')} />
      )}
      {state.items.map((assignment, place) => (
        // The next one is rendered behind this one, so that it is there at once.
        <Activity key={assignment.id} mode={place === 0 ? 'visible' : 'hidden'}>
          <RankItem assignment={assignment} person={person.id} adjudicates={work === 'adjudicate'} refused={state.refused.get(assignment.id)}
            onSubmit={(judgement) => void queue.submit(assignment, judgement)}
            onSkip={(reason) => void queue.skip(assignment, reason)}
            onDiscard={() => void queue.discard(assignment.id)} />
        </Activity>
      ))}
    </>
  )
}
