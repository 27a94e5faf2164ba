import { Button, Radio, Stack, Switch } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { useTitle } from '@/components/use-title'
import { announce } from '@/shared/announce'
import { ariaKeysFor } from '@/shared/bindings'
import { type Language, LANGUAGES } from '@/shared/i18n'
import { usePreferences, usePreferencesSaved } from '@/shared/preferences'
import { useCommands } from '@/shared/use-commands'

import { KeySettings } from './key-settings'
import { NumberSetting } from './number-setting'
import styles from './settings.module.css'
import { useUndoable } from './use-undoable'

const TEXT_SIZES = [14, 15, 16, 17, 18, 19, 20]

/** How somebody likes their screens. Every choice holds at once and can be taken back. */
export default function SettingsScreen() {
  const { t, i18n } = useTranslation()
  const preferences = usePreferences()
  const saved = usePreferencesSaved()
  const { change, undo, canUndo } = useUndoable()
  useTitle(t('settings.title'))

  function takeBack() {
    if (!undo()) return false
    announce(t('settings.takenBack'))
  }
  useCommands(['settings'], { undoSetting: takeBack })

  return (
    <div className={styles.page}>
      <h1>{t('settings.title')}</h1>
      <div className={styles.saved}>
        <p role="status" data-saved={saved}>{t(`settings.saved.${saved}`)}</p>
        <Button variant="default" size="compact-md" aria-disabled={!canUndo} data-disabled={!canUndo} onClick={takeBack}
          aria-keyshortcuts={ariaKeysFor('undoSetting')}>
          {t('undo')}
        </Button>
      </div>

      <section aria-labelledby="settings-looks">
        <h2 id="settings-looks">{t('settings.looks')}</h2>
        <Stack gap="lg">
          <Radio.Group label={t('language')} value={i18n.language} onChange={(language) => change({ language: language as Language })}>
            <div className={styles.choices}>
              {Object.entries(LANGUAGES).map(([code, name]) => <Radio key={code} value={code} label={<span lang={code}>{name}</span>} />)}
            </div>
          </Radio.Group>
          <Radio.Group label={t('settings.theme')} value={preferences.theme} onChange={(theme) => change({ theme: theme as typeof preferences.theme })}>
            <div className={styles.choices}>
              {(['system', 'light', 'dark'] as const).map((theme) => <Radio key={theme} value={theme} label={t(`settings.themes.${theme}`)} />)}
            </div>
          </Radio.Group>
          <Radio.Group label={t('settings.textSize')} value={String(preferences.text_size)} onChange={(size) => change({ text_size: Number(size) })}>
            <div className={styles.choices}>
              {TEXT_SIZES.map((size) => <Radio key={size} value={String(size)} label={t('settings.pixels', { size })} />)}
            </div>
          </Radio.Group>
          <div className={`prose ${styles.sample}`}><p>{t('settings.sample')}</p></div>
          <Radio.Group label={t('settings.density')} value={preferences.density} onChange={(density) => change({ density: density as typeof preferences.density })}>
            <div className={styles.choices}>
              {(['comfortable', 'compact'] as const).map((density) => <Radio key={density} value={density} label={t(`settings.densities.${density}`)} />)}
            </div>
          </Radio.Group>
        </Stack>
      </section>

      <section aria-labelledby="settings-day">
        <h2 id="settings-day">{t('settings.day')}</h2>
        <Stack gap="lg">
          <NumberSetting label={t('settings.goal')} description={t('settings.goalExplain')} value={preferences.daily_goal} most={2000}
            onChange={(daily_goal) => change({ daily_goal })} />
          <NumberSetting label={t('settings.break')} description={t('settings.breakExplain')} value={preferences.break_minutes} most={240}
            onChange={(break_minutes) => change({ break_minutes })} />
        </Stack>
      </section>

      <section aria-labelledby="settings-keys">
        <h2 id="settings-keys">{t('settings.keys')}</h2>
        <Stack gap="lg">
          <Switch checked={preferences.single_keys} onChange={(event) => change({ single_keys: event.currentTarget.checked })}
            label={t('shortcuts.singleKeys')} description={t('shortcuts.singleKeysExplain')} />
          <Switch checked={preferences.key_hints} onChange={(event) => change({ key_hints: event.currentTarget.checked })}
            label={t('settings.hints')} description={t('settings.hintsExplain')} />
        </Stack>
        <KeySettings onChange={change} />
      </section>
    </div>
  )
}
