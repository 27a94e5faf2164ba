import { Button, Group, Modal, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { hostOf } from './outward-link'

type Props = { address: string; onClose: () => void }

/** Where a link leads, in full, before anybody goes there. */
export default function LeaveDialog({ address, onClose }: Props) {
  const { t } = useTranslation()
  return (
    // What is clicked in here is no click on the answer.
    <Modal opened onClose={onClose} title={t('text.leave.title', { host: hostOf(address) })} lockScroll={false}
      closeButtonProps={{ 'aria-label': t('close') }} onClick={(event) => event.stopPropagation()}>
      <Stack>
        <p>{t('text.leave.explain')}</p>
        <code className="address" dir="ltr">{address}</code>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t('text.leave.stay')}</Button>
          <Button component="a" href={address} target="_blank" rel="noopener noreferrer nofollow" onClick={onClose}>
            {t('text.leave.go')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
