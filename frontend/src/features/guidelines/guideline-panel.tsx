import { CloseButton, Modal } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Campaign } from '@/api'
import { closeGuideline, openGuideline, useGuidelinePanel, widenGuideline } from '@/shared/guideline-panel'

import { GuidelineReader } from './guideline-reader'
import styles from './guidelines.module.css'

const NARROW = '(max-width: 900px)'

/** The guideline beside the task; where there is no room beside it, over it. */
export default function GuidelinePanel({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const { view, isWide } = useGuidelinePanel()
  const isNarrow = useMedia(NARROW)
  const aside = useRef<HTMLElement>(null)

  useEffect(() => {
    if (isNarrow) return
    // The keys of the task go on working from here, and who closes it is back where they were.
    const before = document.activeElement
    aside.current?.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true })
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [isNarrow])

  if (!view) return null
  const reader = { campaign: campaign.id, current: campaign.guideline_version, view, onView: openGuideline }
  if (isNarrow) {
    return (
      <Modal opened fullScreen onClose={closeGuideline} withCloseButton={false} lockScroll={false} attributes={{ content: { 'aria-label': t('guideline.title') } }}
        classNames={{ body: styles.dialog! }}>
        <GuidelineReader {...reader} tools={<CloseButton onClick={closeGuideline} aria-label={t('close')} />} />
      </Modal>
    )
  }
  return (
    <aside className={styles.panel} data-wide={isWide} ref={aside} aria-label={t('guideline.title')}
      onKeyDown={(event) => event.key === 'Escape' && closeGuideline()}>
      <div className={styles.inner}>
        <GuidelineReader {...reader}
          tools={
            <>
              <button type="button" className="quiet" aria-pressed={isWide} onClick={() => widenGuideline(!isWide)}>{t('guideline.wide')}</button>
              <CloseButton onClick={closeGuideline} aria-label={t('guideline.close')} />
            </>
          } />
      </div>
    </aside>
  )
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const follow = () => setMatches(media.matches)
    media.addEventListener('change', follow)
    return () => media.removeEventListener('change', follow)
  }, [query])
  return matches
}
