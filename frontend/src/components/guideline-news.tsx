import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { type Campaign, listCampaigns } from '@/api'
import { openGuideline } from '@/shared/guideline-panel'

import { Notice } from './notice'

/** What was put off: until the page is loaded again, or the guideline changes again. */
const putOff = new Set<string>()

/**
 * Asks, quietly, to read a guideline that one has not acknowledged. Give it the item's key: it looks when an item
 * comes on screen, and never says anything in the middle of one.
 */
export function GuidelineNews({ campaign: id }: { campaign: number }) {
  const { t } = useTranslation()
  const { data } = useQuery({ queryKey: ['campaigns'], queryFn: listCampaigns, enabled: false })
  const campaign = data?.find((one) => one.id === id)
  // As it was known when the item came: nothing moves under who has begun to read.
  const [version] = useState(campaign?.guideline_version ?? null)
  const [isPutOff, setPutOff] = useState(false)

  if (!campaign || version === null || !isNews(campaign) || campaign.acknowledged_version >= version) return null
  const name = `${id}.${version}`
  if (isPutOff || putOff.has(name)) return null

  const isFirst = campaign.acknowledged_version === 0
  return (
    <Notice kind="info" words={t(isFirst ? 'guideline.newsFirst' : 'guideline.newsChanged', { version: campaign.guideline_version })}
      other={{ label: t('guideline.later'), run: () => (putOff.add(name), setPutOff(true)) }}
      action={{ label: t(isFirst ? 'guideline.read' : 'guideline.changes'), run: () => openGuideline(isFirst ? 'text' : 'changes') }} />
  )
}

/** Is there a version that was not acknowledged? */
export function isNews({ guideline_version, acknowledged_version }: Campaign): boolean {
  return guideline_version > acknowledged_version
}
