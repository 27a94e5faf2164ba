import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, type Assignment, attemptPractice, getPractice, type Practice, type PracticeItem, type PracticeResult } from '@/api'
import { AllDone } from '@/components/all-done'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { dropDraft } from '@/shared/drafts'
import { wordsFor } from '@/shared/errors'

import styles from './practice.module.css'
import { PracticeResultView } from './practice-result'
import type { Order } from './standings'

type Judgement = { tiers: number[][]; unacceptable: number[]; cannot_judge?: string }

/** The screen that real work is ranked on, for this assignment. */
export type RenderItem = (assignment: Assignment, onSubmit: (judgement: Judgement) => void) => ReactNode

type Props = { campaign: number; name: string; person: number; renderItem: RenderItem }

/** Practice items of one campaign, one after the other: rank, then see the known order and why. */
export function PracticeScreen({ campaign, name, person, renderItem }: Props) {
  const { t } = useTranslation()
  // Which one was just left, and how many were: with one item only, the next is the same.
  const [left, setLeft] = useState<{ after: number | null; turn: number }>({ after: null, turn: 0 })
  const { data, error, refetch } = useQuery({
    queryKey: ['practice', campaign, left.turn],
    queryFn: () => getPractice(campaign, left.after),
    // What is on screen stays until its labeler goes on.
    staleTime: Infinity,
    gcTime: 0,
  })
  useTitle(t('practice.screen'), name)

  if (data?.item) {
    const { item } = data
    return (
      <Attempt key={left.turn} practice={data} item={item} person={person} renderItem={renderItem}
        onNext={() => setLeft({ after: item.id, turn: left.turn + 1 })} />
    )
  }
  if (data) return <AllDone title={t('practice.done')} explain={t('practice.doneExplain')} />
  if (error) return <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void refetch() }} />
  return <p className="waiting" aria-busy="true">{t('loading')}</p>
}

type AttemptProps = { practice: Practice; item: PracticeItem; person: number; renderItem: RenderItem; onNext: () => void }

/** One item: tried as often as one likes. */
function Attempt({ practice, item, person, renderItem, onNext }: AttemptProps) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [tries, setTries] = useState(item.attempts)
  const [told, setTold] = useState<{ own: Order; result: PracticeResult } | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [isSending, setSending] = useState(false)
  const progress = told?.result.progress ?? practice
  const assignment = asAssignment(item, tries)

  async function hand(judgement: Judgement) {
    if (isSending) return
    setSending(true)
    setError(null)
    try {
      const { tiers, unacceptable, cannot_judge = '' } = judgement
      const result = await attemptPractice(item.id, { tiers, unacceptable, cannot_judge })
      dropDraft({ kind: 'ranking', person, id: assignment.id })
      setTold({ own: judgement, result })
      void queries.invalidateQueries({ queryKey: ['campaigns'] })
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.isSignedOut) void queries.invalidateQueries({ queryKey: ['me'] })
      setError(refusal)
    } finally {
      setSending(false)
    }
  }

  function tryAgain() {
    setTries(tries + 1)
    setTold(null)
  }

  if (told) {
    return <PracticeResultView item={item} own={told.own} result={told.result} onAgain={tryAgain} onNext={onNext} />
  }
  return (
    <>
      <section className={styles.strip} aria-label={t('practice.screen')}>
        <p>
          <strong>{t('practice.screen')}</strong>
          {progress.passed + progress.left > 0 && (
            <span>{t('practice.progress', { passed: progress.passed, count: progress.passed + progress.left })}</span>
          )}
          <span className="muted">{t('practice.explain')}</span>
        </p>
        <button type="button" className="quiet" onClick={onNext}>{t('practice.another')}</button>
      </section>
      {error !== null && <Notice kind="error" words={wordsFor(error, t)} />}
      {renderItem(assignment, (judgement) => void hand(judgement))}
    </>
  )
}

/** As the ranking screen wants it; each try is another one, and nobody leases it. */
function asAssignment(item: PracticeItem, tries: number): Assignment {
  const { campaign, prompt, candidates, guideline_version } = item
  return { id: `practice-${item.id}-${tries}`, campaign, prompt, candidates, guideline_version, lease_expires_at: '', draft: null }
}
