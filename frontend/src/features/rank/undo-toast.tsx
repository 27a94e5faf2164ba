import { Button } from '@mantine/core'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'

import { KeyHint } from '@/components/key-hint'
import { Toast } from '@/components/toast'
import { ariaKeysFor, keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'

const SECONDS = 8

type Props = { last: string; onUndo: () => void; onGone: (last: string) => void }

/** For eight seconds, the last one comes back with one key. */
export function UndoToast({ last, onUndo, onGone }: Props) {
  const { t } = useTranslation()
  const gone = useCallback(() => onGone(last), [onGone, last])
  useCommands(['rank'], { undoSubmit: onUndo })
  return (
    <Toast words={t('safe.undo.submitted')} seconds={SECONDS} onGone={gone}>
      <Button variant="default" size="compact-sm" onClick={onUndo} aria-keyshortcuts={ariaKeysFor('undoSubmit')}>
        {t('safe.undo.do')}<KeyHint keys={keysFor('undoSubmit')} />
      </Button>
    </Toast>
  )
}
