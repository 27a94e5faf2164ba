import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

import type { Turn } from '@/api'

const WordDiff = lazy(() => import('@/components/word-diff'))

type Props = { before: readonly Turn[]; after: readonly Turn[]; language: string | undefined }

/** What the author changed since it was returned, turn by turn; a turn that is new or gone is so as a whole. */
export function Changes({ before, after, language }: Props) {
  const { t } = useTranslation()
  const longer = after.length >= before.length ? after : before
  return (
    <Suspense fallback={<p className="muted" aria-busy="true">{t('loading')}</p>}>
      <ol className="conversation">
        {longer.map(({ role }, place) => (
          // Turns have no ids here: the assistant begins and they alternate, in both versions.
          <li key={place} data-role={role}>
            <span className="speaker">{t(`role.${role}`)}</span>
            <WordDiff before={before[place]?.content ?? ''} after={after[place]?.content ?? ''} language={language} />
          </li>
        ))}
      </ol>
    </Suspense>
  )
}
