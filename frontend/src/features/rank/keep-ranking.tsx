import { Fragment, type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, type Assignment, type RankingDraft, saveRankingDraft } from '@/api'
import { Notice } from '@/components/notice'
import { useIsElsewhere } from '@/components/only-here'
import { outboxOf } from '@/components/outbox'
import type { Saving } from '@/shared/draft-saver'
import { timeOf } from '@/shared/dates'

import { thisDevice } from './kept-ranking'
import { RankingKeeper } from './keeper'
import { Keeper } from './use-kept-ranking'

type Props = { assignment: Assignment; person: number; isCorrection: boolean; children: ReactNode }

/** Around one ranking: keeps it here at once and at the server within a second, and asks when two devices parted. */
export function KeepRanking({ assignment, person, isCorrection, children }: Props) {
  const { t, i18n } = useTranslation()
  const [keeper] = useState(() => keeperOf(assignment, person, isCorrection))
  const { kept, version, parted } = useSyncExternalStore(keeper.subscribe, keeper.snapshot)
  const isElsewhere = useIsElsewhere()
  const keeping = useMemo(() => ({ kept, keep: keeper.keep }), [kept, keeper])

  useEffect(() => {
    keeper.open()
    const leave = () => document.visibilityState === 'hidden' && keeper.flush(true)
    const online = () => keeper.flush()
    document.addEventListener('visibilitychange', leave)
    addEventListener('online', online)
    return () => {
      document.removeEventListener('visibilitychange', leave)
      removeEventListener('online', online)
      keeper.close()
    }
  }, [keeper])

  useEffect(() => {
    if (isElsewhere) keeper.giveUp()
  }, [keeper, isElsewhere])

  return (
    <>
      {parted && (
        <Notice kind="warning"
          words={t('safe.parted', { shown: timeOf(parted.mine.at, i18n.language), other: timeOf(parted.theirs.at, i18n.language) })}
          other={{ label: t('safe.showOther'), run: keeper.swap }}
          action={{ label: t('safe.keepShown'), run: keeper.settle }} />
      )}
      <Keeper value={keeping}><Fragment key={version}>{children}</Fragment></Keeper>
    </>
  )
}

function keeperOf({ id, draft }: Assignment, person: number, isCorrection: boolean): RankingKeeper {
  const outbox = outboxOf(person)
  return new RankingKeeper({
    id,
    person,
    draft: isCorrection ? null : draft,
    device: thisDevice(),
    // A correction is no draft: what was handed in stands until it is corrected.
    isUnderWay: () => !isCorrection && !outbox.isUnsettled(id),
    save: (content, revision, keepalive) => savingOf(saveRankingDraft(id, { content, revision }, { person, keepalive })),
  })
}

async function savingOf(asked: Promise<RankingDraft>): Promise<Saving<RankingDraft>> {
  try {
    return { kind: 'saved', revision: (await asked).revision ?? 1 }
  } catch (error) {
    if (!(error instanceof ApiError) || error.isTemporary || error.isSignedOut) return { kind: 'failed' }
    const theirs = (error.fields as { draft?: RankingDraft | null }).draft
    return error.code === 'stale_revision' && theirs ? { kind: 'parted', theirs } : { kind: 'over' }
  }
}
