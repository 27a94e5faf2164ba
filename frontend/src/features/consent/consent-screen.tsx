import { Button, Checkbox, Group } from '@mantine/core'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { ApiError, type Consent, getConsent, giveConsent } from '@/api'
import { Markdown } from '@/components/markdown'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { dateOf } from '@/shared/dates'
import { wordsFor } from '@/shared/errors'

import styles from './consent.module.css'

type Props = {
  campaign: number
  name: string
  text: NonNullable<Consent['text']>
  agreedVersion: number | null
  onAnswer: (consent: Consent) => void
}

/** What the campaign asks people to agree to: read, ticked by hand, and agreed to. */
export default function ConsentScreen({ campaign, name, text, agreedVersion, onAnswer }: Props) {
  const { t, i18n } = useTranslation()
  const [isRead, setRead] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const title = t('consent.title', { name })
  useTitle(title)
  useEffect(() => heading.current?.focus(), [])

  async function agree(event: SubmitEvent) {
    event.preventDefault()
    if (!isRead) return
    setPending(true)
    try {
      onAnswer(await giveConsent(campaign, text.version))
    } catch (refusal) {
      setError(refusal)
      setPending(false)
      if (refusal instanceof ApiError && refusal.code === 'consent_outdated') await readAgain()
    }
  }

  /** Somebody published a newer text meanwhile, and the tick was for the one before. */
  async function readAgain() {
    setRead(false)
    await getConsent(campaign).then(onAnswer, setError)
    heading.current?.focus()
  }

  return (
    <form className={styles.consent} onSubmit={(event) => void agree(event)}>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {agreedVersion !== null && <Notice kind="info" words={t('consent.changed', { version: agreedVersion })} />}
      <section className={styles.text} aria-labelledby="consent-version">
        <h2 id="consent-version">
          {t('consent.version', { version: text.version, date: dateOf(text.published_at, i18n.language) })}
        </h2>
        <Markdown text={text.text} />
      </section>
      <Checkbox checked={isRead} onChange={(event) => setRead(event.currentTarget.checked)} label={t('consent.agree')} size="md" />
      <p className="muted">{t('consent.withdrawLater')}</p>
      {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
      <Group gap="md">
        <Button type="submit" size="md" disabled={!isRead} loading={isPending}>{t('consent.do')}</Button>
        <Link href="/">{t('consent.notNow')}</Link>
      </Group>
    </form>
  )
}
