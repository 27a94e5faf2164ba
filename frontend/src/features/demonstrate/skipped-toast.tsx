import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { takeUpDemonstration } from '@/api'
import { Toast } from '@/components/toast'

type Props = { demonstration: number; onTakenUp: () => void; onGone: () => void }

/** It was skipped: where what was written is, and the way back. */
export function SkippedToast({ demonstration, onTakenUp, onGone }: Props) {
  const { t } = useTranslation()
  const takeUp = useMutation({ mutationFn: () => takeUpDemonstration(demonstration), onSuccess: onTakenUp })
  return (
    <Toast words={t(takeUp.error ? 'demonstrate.takeUpFailed' : 'demonstrate.skipped')} seconds={12} onGone={onGone}>
      <Button variant="default" size="compact-md" loading={takeUp.isPending} onClick={() => takeUp.mutate()}>{t('undo')}</Button>
    </Toast>
  )
}
