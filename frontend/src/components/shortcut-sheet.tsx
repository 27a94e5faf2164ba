import { Modal, Switch, TextInput } from '@mantine/core'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { bindingsWith, isSingleKey, keysOf } from '@/shared/bindings'
import { type Binding, SCOPES } from '@/shared/keymap'
import { prefer, usePreferences } from '@/shared/preferences'

import { Chords } from './chords'

/** Every keyboard command with somebody's own keys, from the keymap itself. */
export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const { keys, single_keys } = usePreferences()
  const [wanted, setWanted] = useState('')

  const isWanted = ({ command, chords }: Binding) =>
    [t(`shortcuts.command.${command}`), ...chords.map((chord) => keysOf(chord).join('+'))]
      .some((text) => text.toLowerCase().includes(wanted.trim().toLowerCase()))
  const found = bindingsWith(keys).filter(isWanted)

  return (
    <Modal opened onClose={onClose} title={t('shortcuts.title')} size="lg" lockScroll={false}
      closeButtonProps={{ 'aria-label': t('close') }}>
      <Switch checked={single_keys} onChange={(event) => prefer({ single_keys: event.currentTarget.checked })}
        label={t('shortcuts.singleKeys')} description={t('shortcuts.singleKeysExplain')} />
      <p><Link href="/tour" onClick={onClose}>{t('tour.again')}</Link></p>
      <TextInput type="search" mt="md" label={t('shortcuts.search')} value={wanted} data-autofocus
        onChange={(event) => setWanted(event.currentTarget.value)} />
      <p className="visually-hidden" role="status">{wanted && t('shortcuts.found', { count: found.length })}</p>
      {found.length === 0 && <p className="muted nothing-found">{t('shortcuts.found', { count: 0 })}</p>}
      {SCOPES.filter((scope) => found.some((binding) => binding.scope === scope)).map((scope) => (
        <section key={scope} className="shortcuts">
          <h3>{t(`shortcuts.scope.${scope}`)}</h3>
          <dl>
            {found.filter((binding) => binding.scope === scope).map(({ command, chords }) => (
              <Fragment key={command}>
                <dt><Chords chords={single_keys ? chords : chords.filter((chord) => !isSingleKey(chord))} /></dt>
                <dd>{t(`shortcuts.command.${command}`)}</dd>
              </Fragment>
            ))}
          </dl>
        </section>
      ))}
      <p><Link href="/settings" onClick={onClose}>{t('shortcuts.change')}</Link></p>
    </Modal>
  )
}
