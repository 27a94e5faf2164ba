import { Button, Group, Modal, Stack } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { clockOf } from './lease'

type Props = { left: () => number; onKeepWorking: () => void }

/** Nobody has done anything for long: says so quietly, and how long the item is still theirs. */
export default function LeaseDialog({ left, onKeepWorking }: Props) {
  const { t } = useTranslation()
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <Modal opened onClose={onKeepWorking} title={t('safe.lease.title')} lockScroll={false} centered withCloseButton={false}>
      <Stack gap="md">
        <p>{t('safe.lease.left')} <strong role="timer">{clockOf(left())}</strong></p>
        <p className="muted">{t('safe.lease.explain')}</p>
        <Group justify="flex-end">
          <Button onClick={onKeepWorking} data-autofocus>{t('safe.lease.keepWorking')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
