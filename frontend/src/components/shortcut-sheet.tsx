import { Box, Kbd, Modal, Switch } from '@mantine/core'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { KEYMAP, keysOf, type Scope } from '@/shared/keymap'
import { prefer, usePreferences } from '@/shared/preferences'

const SCOPES: readonly Scope[] = ['rank', 'scale', 'adjudicate', 'demonstrate', 'review', 'everywhere']

/** Every keyboard command, from the keymap itself. */
export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const { single_keys: singleKeys } = usePreferences()
  return (
    <Modal opened onClose={onClose} title={t('shortcuts.title')} size="lg" lockScroll={false}
      closeButtonProps={{ 'aria-label': t('close') }}>
      <Switch checked={singleKeys} onChange={(event) => prefer({ single_keys: event.currentTarget.checked })}
        label={t('shortcuts.singleKeys')} description={t('shortcuts.singleKeysExplain')} />
      <Box mt="sm"><Link href="/tour" onClick={onClose}>{t('tour.again')}</Link></Box>
      {SCOPES.map((scope) => (
        <section key={scope} className="shortcuts">
          <h3>{t(`shortcuts.scope.${scope}`)}</h3>
          <dl>
            {KEYMAP.filter((binding) => binding.scope === scope).map(({ command, chords }) => (
              <Fragment key={command}>
                <dt>{chords.map((chord) => <Chord key={chord} chord={chord} />)}</dt>
                <dd>{t(`shortcuts.command.${command}`)}</dd>
              </Fragment>
            ))}
          </dl>
        </section>
      ))}
    </Modal>
  )
}

function Chord({ chord }: { chord: string }) {
  return (
    <span className="chord">
      {keysOf(chord).map((key) => <Kbd key={key}>{key}</Kbd>)}
    </span>
  )
}
