import { Button, Group, Modal, Radio, Stack } from '@mantine/core'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { askForErasure, type ErasureMode, type GivenConsent, withdrawConsent } from '@/api'
import { wordsFor } from '@/shared/errors'

const FATES = ['keep', 'anonymised', 'removed'] as const
type Fate = 'keep' | ErasureMode

type Props = { consent: GivenConsent; onClose: () => void; onWithdrawn: () => void }

/** Ends a consent, and asks what shall become of what was contributed: nothing is chosen beforehand. */
export function WithdrawDialog({ consent, onClose, onWithdrawn }: Props) {
  const { t } = useTranslation()
  const [fate, setFate] = useState<Fate | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)

  async function withdraw(event: SubmitEvent) {
    event.preventDefault()
    if (fate === null) return
    setPending(true)
    try {
      await withdrawConsent(consent.campaign)
      if (fate !== 'keep') await askForErasure(fate)
      onWithdrawn()
      onClose()
    } catch (refusal) {
      setError(refusal)
      setPending(false)
    }
  }

  return (
    <Modal opened onClose={onClose} title={t('withdraw.title', { name: consent.campaign_name })} lockScroll={false} centered
      closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => void withdraw(event)}>
        <Stack gap="md">
          <Radio.Group value={fate} onChange={(value) => setFate(value as Fate)} label={t('withdraw.explain')}>
            <Stack gap="xs" mt="xs">
              {FATES.map((value, place) => (
                <Radio key={value} value={value} label={t(`withdraw.${value}`)} data-autofocus={place === 0 || undefined} />
              ))}
            </Stack>
          </Radio.Group>
          <p className="muted">{t('withdraw.everywhere')}</p>
          {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{t('cancel')}</Button>
            <Button type="submit" disabled={fate === null} loading={isPending}>{t('withdraw.do')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
