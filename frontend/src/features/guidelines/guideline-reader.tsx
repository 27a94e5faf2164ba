import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { getGuidelineVersion, listGuidelines } from '@/api'
import { Loaded } from '@/components/loaded'
import { Markdown } from '@/components/markdown'
import { dateOf } from '@/shared/dates'
import type { GuidelineView } from '@/shared/guideline-panel'

import { Acknowledge } from './acknowledge'
import { FindBox } from './find-box'
import styles from './guidelines.module.css'
import { comparedWith } from './versions'

const WordDiff = lazy(() => import('@/components/word-diff'))

type Props = {
  campaign: number
  /** The current version as the page knows it: a newer one is asked for. */
  current: number
  view: GuidelineView
  onView: (view: GuidelineView) => void
  tools?: ReactNode
}

/** A campaign's guideline: to read, to search, to compare with the last version read, and to acknowledge. */
export function GuidelineReader({ campaign, current, view, onView, tools }: Props) {
  const { t, i18n } = useTranslation()
  const list = useQuery({
    queryKey: ['guidelines', campaign, 'list', current],
    queryFn: () => listGuidelines(campaign),
    // A newer version is no reason to take away the one that somebody reads.
    placeholderData: (before) => before,
  })
  const [chosen, setChosen] = useState<number | null>(null)
  const body = useRef<HTMLDivElement>(null)
  const title = useId()

  return (
    <section className={styles.reader} aria-labelledby={title}>
      <header className={styles.head}>
        <h2 id={title} tabIndex={-1}>{t('guideline.title')}</h2>
        {tools}
      </header>
      <Loaded query={list} isEmpty={(versions) => versions.length === 0} empty={<p className={styles.quiet}>{t('guideline.none')}</p>}>
        {(versions) => {
          const newest = versions[0]!
          const shown = versions.find(({ version }) => version === chosen) ?? newest
          const before = comparedWith(versions, shown.version)
          const isComparing = view === 'changes' && before !== null
          return (
            <>
              <div className={styles.tools}>
                <select className="quiet" aria-label={t('guideline.version')} value={shown.version}
                  onChange={(event) => setChosen(Number(event.currentTarget.value))}>
                  {versions.map(({ version, published_at }) => (
                    <option key={version} value={version}>
                      {t(version === newest.version ? 'guideline.currentVersion' : 'guideline.oldVersion', { version, date: dateOf(published_at, i18n.language) })}
                    </option>
                  ))}
                </select>
                {before !== null && (
                  <Button variant={isComparing ? 'light' : 'default'} size="compact-sm" aria-pressed={isComparing}
                    onClick={() => onView(isComparing ? 'text' : 'changes')}>
                    {t('guideline.changes')}
                  </Button>
                )}
              </div>
              <FindBox body={body} />
              <div className={styles.body} ref={body} tabIndex={0} role="group" aria-label={t('guideline.titleVersion', { version: shown.version })}>
                {shown !== newest && <p className={styles.quiet}>{t('guideline.isOld', { version: newest.version })}</p>}
                {isComparing ? (
                  <Changes campaign={campaign} before={before} after={shown.version} />
                ) : (
                  <Version campaign={campaign} version={shown.version} />
                )}
              </div>
              {shown === newest && <Acknowledge campaign={campaign} guideline={newest} />}
            </>
          )
        }}
      </Loaded>
    </section>
  )
}

function useVersion(campaign: number, version: number) {
  // A published version never changes.
  return useQuery({
    queryKey: ['guidelines', campaign, 'text', version],
    queryFn: () => getGuidelineVersion(campaign, version),
    staleTime: Infinity,
  })
}

function Version({ campaign, version }: { campaign: number; version: number }) {
  return <Loaded query={useVersion(campaign, version)}>{({ text }) => <Markdown text={text} />}</Loaded>
}

function Changes({ campaign, before, after }: { campaign: number; before: number; after: number }) {
  const { t } = useTranslation()
  const [old, now] = [useVersion(campaign, before), useVersion(campaign, after)]
  return (
    <>
      <p className={styles.quiet}>{t('guideline.since', { version: before })}</p>
      <Loaded query={old}>
        {({ text: earlier }) => (
          <Loaded query={now}>
            {({ text }) => <Suspense><WordDiff before={earlier} after={text} /></Suspense>}
          </Loaded>
        )}
      </Loaded>
    </>
  )
}
