import { useTranslation } from 'react-i18next'

import { CopyButton } from '@/components/copy-button'
import { Notice } from '@/components/notice'
import { readDraft } from '@/shared/drafts'

import type { Held } from './queue'

type Props = { held: Held; person: number; onDiscard: () => void }

/** How an item stands, when there is something to say: corrected, lost or refused. */
export function ItemNotices({ held, person, onDiscard }: Props) {
  const { t } = useTranslation()
  const { assignment, initial, isCorrection, isLost, refused } = held
  const written = () => JSON.stringify(readDraft({ kind: 'ranking', person, id: assignment.id }) ?? initial ?? {}, null, 2)
  if (refused) {
    return (
      <Notice kind="warning" words={t('safe.refused.words', { words: refused.refusal.detail || t('error.unreachable') })}
        action={{ label: t('safe.discard'), run: onDiscard }}>
        <CopyButton text={written()} />
      </Notice>
    )
  }
  if (isLost) {
    return (
      <Notice kind="info" words={t('safe.lost')} action={{ label: t('safe.discard'), run: onDiscard }}>
        <CopyButton text={written()} />
      </Notice>
    )
  }
  if (!isCorrection) return null
  return (
    <Notice kind="info" words={t('safe.correcting')} action={{ label: t('safe.leaveAsItWas'), run: onDiscard }} />
  )
}
