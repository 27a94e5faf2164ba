import { type KeyboardEvent, type RefObject, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { isComposing } from '@/shared/keys'

import styles from './guidelines.module.css'
import { useFind } from './use-find'

/** Find in the guideline: Enter goes to the next place, Shift and Enter to the one before. */
export function FindBox({ body }: { body: RefObject<HTMLElement | null> }) {
  const { t } = useTranslation()
  const [wanted, setWanted] = useState('')
  const { count, place, go } = useFind(body, wanted)

  function onKeyDown(event: KeyboardEvent) {
    if (isComposing(event.nativeEvent)) return
    if (event.key === 'Enter') {
      event.preventDefault()
      go(event.shiftKey ? -1 : 1)
    }
    if (event.key === 'Escape' && wanted !== '') {
      // The first Escape clears the search; the next one closes the panel.
      event.stopPropagation()
      setWanted('')
    }
  }

  return (
    <div className={styles.find} role="search">
      <input type="search" value={wanted} placeholder={t('guideline.find')} aria-label={t('guideline.find')}
        onChange={(event) => setWanted(event.currentTarget.value)} onKeyDown={onKeyDown} />
      <span className={styles.count} role="status">
        {wanted.trim() !== '' && (count === 0 ? t('guideline.foundNone') : t('guideline.found', { place, count }))}
      </span>
      <button type="button" className="quiet" disabled={count === 0} onClick={() => go(-1)} aria-label={t('guideline.previous')}>↑</button>
      <button type="button" className="quiet" disabled={count === 0} onClick={() => go(1)} aria-label={t('guideline.next')}>↓</button>
    </div>
  )
}
