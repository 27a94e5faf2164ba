import { useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { type Person, signOut } from '@/api'
import { leavePreferences } from '@/shared/preferences'

import { LanguageSwitch } from './language-switch'

/** What is somebody's own, behind their name. The browser opens it, closes it on Escape and on a click elsewhere. */
export function UserMenu({ person }: { person: Person }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const menu = useRef<HTMLElement>(null)
  const close = () => menu.current?.hidePopover()

  async function leave() {
    await signOut().catch(() => undefined)
    queries.clear()
    leavePreferences()
    // A fresh page holds nothing of the person who left.
    location.assign('/app/')
  }

  return (
    <>
      <button type="button" className="quiet user" popoverTarget="user-menu">
        <span className="user-name">{person.display_name || person.username}</span>
        <span className="visually-hidden">{t('menu.title')}</span>
        <span aria-hidden>▾</span>
      </button>
      <nav id="user-menu" className="user-menu" popover="auto" ref={menu} aria-label={t('menu.title')}>
        <Link href="/settings" onClick={close}>{t('settings.title')}</Link>
        <Link href="/history" onClick={close}>{t('history.title')}</Link>
        <Link href="/my-data" onClick={close}>{t('ownData.title')}</Link>
        <LanguageSwitch />
        <button type="button" onClick={() => void leave()}>{t('signOut')}</button>
      </nav>
    </>
  )
}
