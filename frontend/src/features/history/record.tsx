import { type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { HistoryEntry, Prompt } from '@/api'
import { Conversation } from '@/components/conversation'
import { momentOf } from '@/shared/moments'

import styles from './history.module.css'
import { Standing } from './standing'

type Props = {
  title: string
  campaign: string
  standing: HistoryEntry['standing']
  submittedAt: string
  /** The guideline version that it was made under; 0 for none. */
  madeUnder: number
  prompt: Prompt
  actions?: ReactNode
  children: ReactNode
}

/** One thing that was handed in, to be read. */
export function Record({ title, campaign, standing, submittedAt, madeUnder, prompt, actions, children }: Props) {
  const { t, i18n } = useTranslation()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  return (
    <article className={styles.record}>
      <p><Link href="/history">{t('history.back')}</Link></p>
      <h1 tabIndex={-1} ref={heading}>{title}</h1>
      <p className={styles.rowHead}>
        <Standing standing={standing} />
        <span className="muted">{campaign} · {momentOf(submittedAt, i18n.language)}</span>
        {madeUnder > 0 && <span className="muted">{t('guideline.titleVersion', { version: madeUnder })}</span>}
      </p>
      {actions}
      <section aria-labelledby="prompt" className={styles.prompt}>
        <h2 id="prompt">{t('prompt')}</h2>
        <Conversation messages={prompt.messages} language={prompt.language} />
      </section>
      {children}
    </article>
  )
}
