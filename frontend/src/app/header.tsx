import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { Campaign, Person } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { SaveState } from '@/components/save-state'
import { useGuidelinePanel } from '@/shared/guideline-panel'
import { ariaKeysFor, keysFor } from '@/shared/keymap'

import { LanguageSwitch } from './language-switch'
import { Today } from './today'
import { UserMenu } from './user-menu'

type Props = {
  person: Person | null
  campaigns?: readonly Campaign[] | undefined
  campaign?: Campaign | undefined
  onShortcuts?: () => void
  onGuideline?: (() => void) | undefined
}

/** Where one is, what was done today, and the way to everything else. */
export function Header({ person, campaigns, campaign, onShortcuts, onGuideline }: Props) {
  const { t } = useTranslation()
  return (
    <header className="page-header">
      <Link href="/" className="brand">Rankwright</Link>
      {campaign && <span className="where">{campaign.name}</span>}
      <div className="page-tools">
        {person ? (
          <>
            <Today campaigns={campaigns} />
            <SaveState person={person.id} />
            {person.role !== 'labeler' && <Link href="/review" className="quiet">{t('review.home')}</Link>}
            {person.role === 'researcher' && <a className="quiet" href="/admin/">{t('admin')}</a>}
            {campaign && onGuideline && <GuidelineButton campaign={campaign} onToggle={onGuideline} />}
            <button type="button" className="quiet help" onClick={onShortcuts} aria-label={t('shortcuts.title')}
              title={t('shortcuts.title')} aria-keyshortcuts={ariaKeysFor('showShortcuts')}>
              ?
            </button>
            <UserMenu person={person} />
          </>
        ) : (
          <LanguageSwitch />
        )}
      </div>
    </header>
  )
}

function GuidelineButton({ campaign, onToggle }: { campaign: Campaign; onToggle: () => void }) {
  const { t } = useTranslation()
  const { view } = useGuidelinePanel()
  const hasNews = campaign.guideline_version > campaign.acknowledged_version
  return (
    <button type="button" className="quiet" data-news={hasNews} aria-expanded={view !== null}
      aria-keyshortcuts={ariaKeysFor('showGuideline')} onClick={onToggle}>
      {t('guideline.title')}
      {hasNews && <span className="visually-hidden"> ({t('guideline.unread')})</span>}
      <KeyHint keys={keysFor('showGuideline')} />
    </button>
  )
}
