import { useTranslation } from 'react-i18next'

import { type Language, LANGUAGES } from '@/shared/i18n'
import { prefer } from '@/shared/preferences'

/** Each language by its own name, so that whoever is lost in another one finds theirs. */
export function LanguageSwitch() {
  const { t, i18n } = useTranslation()
  return (
    <select className="quiet" aria-label={t('language')} value={i18n.language}
      onChange={(event) => prefer({ language: event.currentTarget.value as Language })}>
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>{name}</option>
      ))}
    </select>
  )
}
