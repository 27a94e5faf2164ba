import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Campaign } from '@/api'
import { useTitle } from '@/components/use-title'
import type { GuidelineView } from '@/shared/guideline-panel'

import { GuidelineReader } from './guideline-reader'
import styles from './guidelines.module.css'

/** A campaign's guideline on a page of its own, away from any task. */
export default function GuidelineScreen({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const isNews = campaign.acknowledged_version > 0 && campaign.acknowledged_version < campaign.guideline_version
  const [view, setView] = useState<GuidelineView>(isNews ? 'changes' : 'text')
  useTitle(t('guideline.title'), campaign.name)
  return (
    <div className={styles.page}>
      <h1>{campaign.name}</h1>
      <GuidelineReader campaign={campaign.id} current={campaign.guideline_version} view={view} onView={setView} />
    </div>
  )
}
