import { Button } from '@mantine/core'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { Chords } from '@/components/chords'
import { Notice } from '@/components/notice'
import { announce } from '@/shared/announce'
import { bindingsWith, keysOf, nameOf } from '@/shared/bindings'
import { type Binding, SCOPES } from '@/shared/keymap'
import { type PreferenceChanges, usePreferences } from '@/shared/preferences'

import { chordFor, hasOwn, type Refusal, refusalOf, refusalOfReset, withChord, withoutOwn } from './remap'
import styles from './settings.module.css'
import { useNextChord } from './use-next-chord'

/** Every command with its keys, and another key for each. */
export function KeySettings({ onChange }: { onChange: (changes: PreferenceChanges) => void }) {
  const { t } = useTranslation()
  const { keys } = usePreferences()
  const [asked, setAsked] = useState<Binding | null>(null)
  const [refused, setRefused] = useState<{ binding: Binding; words: string } | null>(null)

  const commandOf = (binding: Binding) => t(`shortcuts.command.${binding.command}`)

  function wordsFor(refusal: Refusal, chord: string): string {
    const pressed = keysOf(chord).join(' + ')
    if (refusal.because !== 'taken') return t(`settings.refused.${refusal.because}`, { chord: pressed })
    return t('settings.refused.taken', { chord: pressed, command: commandOf(refusal.by) })
  }

  function give(binding: Binding, pressed: string) {
    const chord = chordFor(binding, pressed)
    const refusal = refusalOf(binding, chord, keys)
    if (refusal) return setRefused({ binding, words: wordsFor(refusal, chord) })
    setAsked(null)
    setRefused(null)
    onChange({ keys: withChord(keys, binding, chord) })
    announce(t('settings.keyGiven', { command: commandOf(binding), chord: keysOf(chord).join(' + ') }))
  }

  function ask(binding: Binding | null) {
    setRefused(null)
    setAsked(binding)
    if (binding) announce(t('settings.press'))
  }

  function reset(binding: Binding, button: HTMLElement) {
    const refusal = refusalOfReset(binding, keys)
    if (refusal?.because === 'taken') return setRefused({ binding, words: t('settings.refused.reset', { command: commandOf(refusal.by) }) })
    setRefused(null)
    // The button is about to go; the focus stays with its command.
    if (button.previousElementSibling instanceof HTMLElement) button.previousElementSibling.focus()
    onChange({ keys: withoutOwn(keys, binding) })
  }

  useNextChord(asked, give, () => ask(null))

  return (
    <>
      {SCOPES.map((scope) => (
        <section key={scope} className={styles.keys} aria-labelledby={`keys-${scope}`}>
          <h3 id={`keys-${scope}`}>{t(`shortcuts.scope.${scope}`)}</h3>
          <ul>
            {bindingsWith(keys).filter((binding) => binding.scope === scope).map((binding) => {
              const isAsked = asked !== null && nameOf(asked) === nameOf(binding)
              return (
                <Fragment key={nameOf(binding)}>
                  <li data-asked={isAsked}>
                    <span>{commandOf(binding)}</span>
                    <span className={styles.chords}><Chords chords={binding.chords} /></span>
                    <span className={styles.does}>
                      <Button variant={isAsked ? 'light' : 'default'} size="compact-sm" aria-pressed={isAsked}
                        aria-label={t('settings.changeNamed', { command: commandOf(binding) })} onClick={() => ask(isAsked ? null : binding)}>
                        {t(isAsked ? 'settings.press' : 'settings.change')}
                      </Button>
                      {hasOwn(keys, binding) && (
                        <Button variant="subtle" size="compact-sm" aria-label={t('settings.resetNamed', { command: commandOf(binding) })}
                          onClick={(event) => reset(binding, event.currentTarget)}>
                          {t('settings.reset')}
                        </Button>
                      )}
                    </span>
                  </li>
                  {refused && nameOf(refused.binding) === nameOf(binding) && (
                    <li className={styles.refused}><Notice kind="warning" words={refused.words} /></li>
                  )}
                </Fragment>
              )
            })}
          </ul>
        </section>
      ))}
      <Button variant="default" disabled={Object.keys(keys).length === 0} onClick={() => { setRefused(null); onChange({ keys: null }) }}>
        {t('settings.resetAll')}
      </Button>
    </>
  )
}
