import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'

import { acknowledgeGuideline, type GuidelineVersion } from '@/api'
import { dateOf } from '@/shared/dates'
import { wordsFor } from '@/shared/errors'

import styles from './guidelines.module.css'

/** "I have read it", once for each version. */
export function Acknowledge({ campaign, guideline }: { campaign: number; guideline: GuidelineVersion }) {
  const { t, i18n } = useTranslation()
  const queries = useQueryClient()
  const foot = useRef<HTMLElement>(null)
  const { version, acknowledged_at } = guideline
  const acknowledge = useMutation({
    mutationFn: () => acknowledgeGuideline(campaign, version),
    // The button goes; whoever pressed it is not sent to the top of the page.
    onSuccess: () => foot.current?.focus({ preventScroll: true }),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['guidelines', campaign, 'list'] }),
        queries.invalidateQueries({ queryKey: ['campaigns'] }),
      ]),
  })

  return (
    <footer className={styles.foot} ref={foot} tabIndex={-1}>
      {acknowledge.error && <p role="alert" className="error-text">{wordsFor(acknowledge.error, t)}</p>}
      {acknowledged_at ? (
        <p className="muted" role="status">{t('guideline.acknowledged', { version, date: dateOf(acknowledged_at, i18n.language) })}</p>
      ) : (
        <Button onClick={() => acknowledge.mutate()} loading={acknowledge.isPending}>{t('guideline.acknowledge', { version })}</Button>
      )}
    </footer>
  )
}
