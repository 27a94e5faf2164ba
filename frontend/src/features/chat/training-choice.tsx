import { Button, Switch } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { type ChatCampaign, consentToChatTraining } from '@/api'
import { wordsFor } from '@/shared/errors'

import styles from './chat.module.css'

/** Whether chats may train the next model: asked once in plain words, and changed at any time. */
export function TrainingChoice({ campaign }: { campaign: ChatCampaign }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const choose = useMutation({
    mutationFn: (allows: boolean) => consentToChatTraining(campaign.id, allows),
    onSuccess: (_said, allows) => {
      queries.setQueryData<ChatCampaign[]>(['chat campaigns'], (all) =>
        all?.map((one) => (one.id === campaign.id ? { ...one, allows_training: allows } : one)),
      )
    },
  })
  if (campaign.allows_training !== null) {
    return (
      <Switch checked={choose.isPending ? choose.variables : campaign.allows_training} label={t('chat.training.switch')}
        onChange={(event) => choose.mutate(event.currentTarget.checked)} error={choose.error ? wordsFor(choose.error, t) : undefined} />
    )
  }
  return (
    <section className={styles.training} aria-labelledby="training">
      <h2 id="training">{t('chat.training.title')}</h2>
      <p>{t('chat.training.explain')}</p>
      {choose.error && <p role="alert" className="error-text">{wordsFor(choose.error, t)}</p>}
      <div className={styles.verdicts}>
        <Button variant="default" disabled={choose.isPending} onClick={() => choose.mutate(true)}>{t('chat.training.yes')}</Button>
        <Button variant="default" disabled={choose.isPending} onClick={() => choose.mutate(false)}>{t('chat.training.no')}</Button>
      </div>
    </section>
  )
}
