import { Button, Checkbox, Radio, Stack } from '@mantine/core'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { askForErasure, type ErasureMode, type OwnData, takeBackErasure } from '@/api'
import { Notice } from '@/components/notice'
import { dateOf } from '@/shared/dates'
import { wordsFor } from '@/shared/errors'

const MODES = ['anonymised', 'removed'] as const

type Props = { erasure: OwnData['erasure']; onAnswer: (answer: OwnData) => void }

/** Asks a researcher to erase one's account, or says that one has asked. */
export function ErasureForm({ erasure, onAnswer }: Props) {
  const { t } = useTranslation()
  const [error, setError] = useState<unknown>(null)

  const ask = (call: Promise<OwnData>) => void call.then(onAnswer).then(() => setError(null), setError)

  return (
    <section aria-labelledby="erasure">
      <h2 id="erasure">{t('erasure.title')}</h2>
      {erasure ? (
        <Asked erasure={erasure} onTakeBack={() => ask(takeBackErasure())} />
      ) : (
        <Choice onAsk={(mode) => ask(askForErasure(mode))} />
      )}
      {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
    </section>
  )
}

function Asked({ erasure, onTakeBack }: { erasure: NonNullable<OwnData['erasure']>; onTakeBack: () => void }) {
  const { t, i18n } = useTranslation()
  const date = dateOf(erasure.asked_at, i18n.language)
  const words = erasure.mode === 'removed' ? t('erasure.askedRemoved', { date }) : t('erasure.askedAnonymised', { date })
  if (erasure.approved_at) return <Notice kind="info" words={`${words} ${t('erasure.begun')}`} />
  return <Notice kind="info" words={words} action={{ label: t('erasure.takeBack'), run: onTakeBack }} />
}

function Choice({ onAsk }: { onAsk: (mode: ErasureMode) => void }) {
  const { t } = useTranslation()
  const [mode, setMode] = useState<ErasureMode | null>(null)
  const [isUnderstood, setUnderstood] = useState(false)

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (mode !== null && isUnderstood) onAsk(mode)
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="md" align="flex-start">
        <p>{t('erasure.explain')}</p>
        <Radio.Group value={mode} onChange={(value) => setMode(value as ErasureMode)} label={t('erasure.choose')}>
          <Stack gap="xs" mt="xs">
            {MODES.map((value) => (
              <Radio key={value} value={value} label={t(`erasure.${value}`)} description={t(`erasure.${value}Explain`)} />
            ))}
          </Stack>
        </Radio.Group>
        <Checkbox checked={isUnderstood} onChange={(event) => setUnderstood(event.currentTarget.checked)}
          label={t('erasure.understood')} />
        <Button type="submit" variant="light" color="red" disabled={mode === null || !isUnderstood}>{t('erasure.do')}</Button>
      </Stack>
    </form>
  )
}
