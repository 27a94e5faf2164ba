import { Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { getGuideline } from '@/api'
import { wordsFor } from '@/shared/errors'

import { Markdown } from './markdown'

/** The campaign's guideline, over the work and not instead of it. */
export default function GuidelineDialog({ campaign, onClose }: { campaign: number; onClose: () => void }) {
  const { t } = useTranslation()
  const { data, error } = useQuery({ queryKey: ['guideline', campaign], queryFn: () => getGuideline(campaign) })
  return (
    <Modal opened onClose={onClose} size="xl" lockScroll={false} closeButtonProps={{ 'aria-label': t('close') }}
      title={data ? t('guideline.titleVersion', { version: data.version }) : t('guideline.title')}>
      {error && <p role="alert">{wordsFor(error, t)}</p>}
      {data && <Markdown text={data.text} />}
    </Modal>
  )
}
