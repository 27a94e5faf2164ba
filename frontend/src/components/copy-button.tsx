import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { copyText } from '@/shared/copy'

/** Takes what somebody wrote with them, whatever the server says of it. */
export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation()
  const [done, setDone] = useState<'copied' | 'saved' | null>(null)
  return (
    <Button variant="subtle" size="compact-md" onClick={() => void copyText(text).then(setDone)}>
      <span aria-live="polite">{t(done ? `safe.${done}` : 'safe.copy')}</span>
    </Button>
  )
}
