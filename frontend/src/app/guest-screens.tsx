import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'

import { signOut } from '@/api'
import { leavePreferences } from '@/shared/preferences'

import { ErrorBoundary } from './error-boundary'
import { LanguageSwitch } from './language-switch'
import { numberOf } from './number-of'
import { useRouteFocus } from './use-route-focus'

const ChatScreen = lazy(() => import('@/features/chat/chat-screen'))
const OwnDataScreen = lazy(() => import('@/features/own-data/own-data-screen'))

/** All that somebody without an account sees: the chat, and what is recorded of them. */
export default function GuestScreens() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [location] = useLocation()
  useRouteFocus(location)

  async function leave() {
    await signOut().catch(() => undefined)
    queries.clear()
    leavePreferences()
    window.location.assign('/app/')
  }

  return (
    <>
      <a className="skip-link" href="#main">{t('skipToMain')}</a>
      <header className="page-header">
        <Link href="/chat" className="brand">Rankwright</Link>
        <div className="page-tools">
          <LanguageSwitch />
          <Link href="/my-data" className="quiet">{t('ownData.title')}</Link>
          <button type="button" className="quiet" onClick={() => void leave()}>{t('chat.door.leave')}</button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <ErrorBoundary at={location}>
          <Suspense fallback={<p className="waiting" aria-busy="true">{t('loading')}</p>}>
            <Switch>
              <Route path="/chat/:campaign?/:chat?">
                {({ campaign, chat }) => <ChatScreen campaign={numberOf(campaign)} chat={numberOf(chat)} />}
              </Route>
              <Route path="/my-data"><OwnDataScreen /></Route>
              <Route><Redirect to="/chat" replace /></Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  )
}
