import { Button, Group, Modal, Radio, Stack, Textarea } from '@mantine/core'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'

type Props = {
  kind: 'skip' | 'cannotJudge' | 'skipPrompt'
  onClose: () => void
  onChoose: (reason: string) => void
}

const TO_SKIP = ['subject', 'language', 'disturbing', 'broken', 'other'] as const
const NOT_TO_JUDGE = ['unclear', 'facts', 'language', 'other'] as const

/** Asks why. The answer travels as a stable word, with the labeler's own words after it. */
export default function ReasonDialog({ kind, onClose, onChoose }: Props) {
  const { t } = useTranslation()
  const [reason, setReason] = useState('')
  const [words, setWords] = useState('')
  const reasons =
    kind === 'cannotJudge'
      ? NOT_TO_JUDGE.map((value) => ({ value, label: t(`rank.cannotJudge.reasons.${value}`) }))
      : TO_SKIP.map((value) => ({ value, label: t(`rank.skip.reasons.${value}`) }))
  const isOther = reason === 'other'
  const isReady = reason !== '' && (!isOther || words.trim() !== '')

  function choose(event: SubmitEvent) {
    event.preventDefault()
    if (isReady) onChoose([reason, words.trim()].filter(Boolean).join(': ').slice(0, 500))
  }

  return (
    <Modal opened onClose={onClose} title={t(`rank.${kind}.title`)} lockScroll={false} centered
      closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={choose}>
        <Stack gap="md">
          <p className="muted">{t(`rank.${kind}.explain`)}</p>
          <Radio.Group value={reason} onChange={setReason} label={t('rank.reason')}>
            <Stack gap="xs" mt="xs">
              {reasons.map(({ value, label }, place) => (
                <Radio key={value} value={value} label={label} data-autofocus={place === 0 || undefined} />
              ))}
            </Stack>
          </Radio.Group>
          <Textarea label={isOther ? t('rank.wordsNeeded') : t('rank.words')} value={words} maxLength={450}
            autosize minRows={2} onChange={(event) => setWords(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{t('cancel')}</Button>
            <Button type="submit" disabled={!isReady}>{t(`rank.${kind}.do`)}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
