import { useTranslation } from 'react-i18next'

import { ApiError } from '@/api'
import { wordsFor } from '@/shared/errors'

import { AllDone } from './all-done'
import { Notice } from './notice'

/** Why there is nothing to show: a pause, no permission, or a failure that may pass. */
export function CannotLoad({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation()
  if (error instanceof ApiError && error.isPause) return <AllDone title={t('paused')} explain={error.detail} />
  if (error instanceof ApiError && error.isClosed) return <AllDone title={t('notForYou')} explain={wordsFor(error, t)} />
  return <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: onRetry }} />
}
