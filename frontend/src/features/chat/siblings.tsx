import { useTranslation } from 'react-i18next'

import styles from './chat.module.css'

type Props = { of: readonly number[]; at: number; onChoose: (id: number) => void }

/** Other versions of a message: "‹ 2 / 3 ›". */
export function Siblings({ of: ids, at, onChoose }: Props) {
  const { t } = useTranslation()
  const place = ids.indexOf(at)
  if (ids.length < 2) return null
  return (
    <span className={styles.siblings}>
      <button type="button" className={styles.tool} aria-label={t('chat.versionBefore')} disabled={place === 0}
        onClick={() => onChoose(ids[place - 1]!)}>‹</button>
      <span aria-label={t('chat.version', { place: place + 1, count: ids.length })}>{place + 1} / {ids.length}</span>
      <button type="button" className={styles.tool} aria-label={t('chat.versionAfter')} disabled={place === ids.length - 1}
        onClick={() => onChoose(ids[place + 1]!)}>›</button>
    </span>
  )
}
