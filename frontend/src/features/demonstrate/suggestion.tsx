import { Button } from '@mantine/core'
import { useEffect, useEffectEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, type Demonstration, showSuggestion } from '@/api'
import { Markdown } from '@/components/markdown'
import { wordsFor } from '@/shared/errors'

import styles from './demonstrate.module.css'

type Props = {
  demonstration: Demonstration
  /** Nothing is written yet, so that what is suggested can be put there at once. */
  isFresh: boolean
  onUse: (text: string) => void
  onSignedOut: () => void
}

/** A response to begin with, for who asks. What asking means is said before. */
export function Suggestion({ demonstration, isFresh, onUse, onSignedOut }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState(demonstration.suggestion)
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)
  const [isNew, setNew] = useState(false)
  const [isOpen, setOpen] = useState(false)

  // Looked at when the answer is here: somebody may have begun to write while it was on its way.
  const bring = useEffectEvent(() => {
    if (isFresh) onUse(text!)
  })
  useEffect(() => {
    if (isNew) bring()
  }, [isNew])

  async function ask() {
    setPending(true)
    setError(null)
    try {
      const suggestion = await showSuggestion(demonstration.id)
      setText(suggestion.text)
      setOpen(!isFresh)
      setNew(true)
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.isSignedOut) onSignedOut()
      setError(refusal)
    }
    setPending(false)
  }

  if (text === null && !demonstration.can_suggest) return null
  if (text === null) {
    return (
      <div className={styles.suggestion}>
        <Button variant="default" onClick={() => void ask()} loading={isPending} aria-describedby="suggestion-means">
          {t('demonstrate.suggest')}
        </Button>
        <p id="suggestion-means" className="muted">{t('demonstrate.suggestMeans')}</p>
        {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
      </div>
    )
  }
  return (
    <details className={styles.suggestion} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('demonstrate.suggestionShown')}</summary>
      <Markdown text={text} language={demonstration.prompt.language} />
      <Button variant="default" onClick={() => onUse(text)}>{t('demonstrate.beginWithIt')}</Button>
    </details>
  )
}
