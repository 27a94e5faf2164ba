import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { type Campaign, type Person, signOut } from '@/api'
import { SaveState } from '@/components/save-state'
import { chooseLanguage, type Language, LANGUAGES } from '@/shared/i18n'
import { leavePreferences } from '@/shared/preferences'

type Props = {
  person: Person | null
  campaign?: Campaign | undefined
  onShortcuts?: () => void
  onGuideline?: () => void
}

/** Where one is, what was done today, and the way to everything else. */
export function Header({ person, campaign, onShortcuts, onGuideline }: Props) {
  const { t } = useTranslation()
  const queries = useQueryClient()

  async function leave() {
    await signOut().catch(() => undefined)
    queries.clear()
    leavePreferences()
    // A fresh page holds nothing of the person who left.
    location.assign('/app/')
  }

  return (
    <header className="page-header">
      <Link href="/" className="brand">Rankwright</Link>
      {campaign && <span className="where">{campaign.name}</span>}
      <div className="page-tools">
        {person && <SaveState person={person.id} />}
        {person && person.role !== 'labeler' && <Link href="/review" className="quiet">{t('review.home')}</Link>}
        {campaign && <button type="button" className="quiet" onClick={onGuideline}>{t('guideline.title')}</button>}
        {person && <button type="button" className="quiet wide-only" onClick={onShortcuts}>{t('shortcuts.title')}</button>}
        {person?.role === 'researcher' && <a className="quiet" href="/admin/">{t('admin')}</a>}
        <LanguageSwitch />
        {person && (
          <>
            <span className="who wide-only">{person.display_name || person.username}</span>
            <Link href="/my-data" className="quiet wide-only">{t('ownData.title')}</Link>
            <button type="button" className="quiet" onClick={() => void leave()}>{t('signOut')}</button>
          </>
        )}
      </div>
    </header>
  )
}

function LanguageSwitch() {
  const { t, i18n } = useTranslation()
  return (
    <select className="quiet" aria-label={t('language')} value={i18n.language}
      onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}>
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>{name}</option>
      ))}
    </select>
  )
}
