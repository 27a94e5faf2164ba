import type { ReactNode, RefObject } from 'react'
import { useTranslation } from 'react-i18next'

import type { Prompt } from '@/api'
import { Conversation } from '@/components/conversation'

import styles from './rank.module.css'
import { useStickyHeight } from './use-sticky-height'

type Props = {
  prompt: Prompt
  title: string
  heading: RefObject<HTMLHeadingElement | null>
  isFolded: boolean
  /** How to look at its responses. */
  children: ReactNode
}

/** What is answered: in sight while the answers scroll. */
export function PromptPanel({ prompt, title, heading, isFolded, children }: Props) {
  const { t } = useTranslation()
  const sticky = useStickyHeight()
  return (
    <section className={styles.prompt} ref={sticky} aria-label={t('prompt')}>
      <div className={styles.promptHead}>
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {children}
      </div>
      <div className={styles.promptText} data-folded={isFolded} tabIndex={0} role="group" aria-label={t('prompt')}>
        <Conversation messages={prompt.messages} language={prompt.language} />
      </div>
    </section>
  )
}
