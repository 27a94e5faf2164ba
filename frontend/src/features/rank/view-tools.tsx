import { useTranslation } from 'react-i18next'

import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { type Command, keysFor } from '@/shared/keymap'

import styles from './rank.module.css'
import type { View } from './use-view'

type Props = { view: View; isPair: boolean; hasChanges: boolean; isFolded: boolean; onFold: () => void }

/** How the responses are looked at. */
export function ViewTools({ view, isPair, hasChanges, isFolded, onFold }: Props) {
  const { t } = useTranslation()
  const isComparing = view.view === 'compare'
  return (
    <div className={styles.tools} role="group" aria-label={t('view.title')}>
      <Tool words={t('view.focus')} command="focusView" isOn={view.view === 'focus'} onClick={view.toggleFocus} />
      {!isPair && (
        <Tool words={t('view.compare')} command="compareView" isOn={isComparing} onClick={view.toggleCompare}
          disabled={!view.canCompare && !isComparing} />
      )}
      <Tool words={t('view.raw')} command="rawText" isOn={view.isRaw} onClick={view.toggleRaw} />
      {hasChanges && (
        <Tool words={t('view.changes')} command="showDifferences" isOn={view.look.showsChanges} onClick={view.toggleChanges} />
      )}
      <button type="button" className="quiet" aria-expanded={!isFolded} onMouseDown={keepFocus} onClick={onFold}>
        {t(isFolded ? 'rank.unfold' : 'rank.fold')}<KeyHint keys={keysFor('foldPrompt')} />
      </button>
    </div>
  )
}

type ToolProps = { words: string; command: Command; isOn: boolean; disabled?: boolean; onClick: () => void }

function Tool({ words, command, isOn, disabled, onClick }: ToolProps) {
  return (
    <button type="button" className="quiet" aria-pressed={isOn} disabled={disabled} onMouseDown={keepFocus} onClick={onClick}>
      {words}<KeyHint keys={keysFor(command)} />
    </button>
  )
}
