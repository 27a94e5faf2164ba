import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Route, Router, Switch, useLocation, useRoute } from 'wouter'

import { listCampaigns, type Person } from '@/api'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { ConsentGate } from '@/features/consent/consent-gate'
import { HomeScreen } from '@/features/home/home-screen'
import { TourGate } from '@/features/tour/tour-gate'
import { wordsFor } from '@/shared/errors'
import { toggleGuideline, useGuidelinePanel } from '@/shared/guideline-panel'
import { chooseLanguage } from '@/shared/i18n'
import { prefer, usePreferences } from '@/shared/preferences'
import { useCommands } from '@/shared/use-commands'

import { BreakReminder } from './break-reminder'
import { ErrorBoundary } from './error-boundary'
import { Header } from './header'
import { arrive, ME } from './me'
import { numberOf } from './number-of'
import { SessionEnd } from './session-end'
import { UpdateNotice } from './update-notice'
import { useRouteFocus } from './use-route-focus'

const ChatScreen = lazy(() => import('@/features/chat/chat-screen'))
const GuestDoor = lazy(() => import('./guest-door'))
const GuestScreens = lazy(() => import('./guest-screens'))
const loadRankScreen = () => import('@/features/rank/rank-screen')

// What the first screen does not show comes when it is asked for.
const CorrectRanking = lazy(() => import('./correct-ranking'))
const ShortcutSheet = lazy(() => import('@/components/shortcut-sheet'))
const DemonstrateScreen = lazy(() => import('@/features/demonstrate/demonstrate-screen'))
const DemonstrationRecord = lazy(() => import('@/features/history/demonstration-record'))
const Example = lazy(() => import('./example'))
const GuidelinePanel = lazy(() => import('@/features/guidelines/guideline-panel'))
const GuidelineScreen = lazy(() => import('@/features/guidelines/guideline-screen'))
const HistoryScreen = lazy(() => import('@/features/history/history-screen'))
const JoinScreen = lazy(() => import('@/features/join/join-screen'))
const OwnDataScreen = lazy(() => import('@/features/own-data/own-data-screen'))
const Practice = lazy(() => import('./practice'))
const RankingRecord = lazy(() => import('@/features/history/ranking-record'))
const RankScreen = lazy(loadRankScreen)
const ReviewHome = lazy(() => import('@/features/review/review-home'))
const ReviewScreen = lazy(() => import('@/features/review/review-screen'))
const SettingsScreen = lazy(() => import('@/features/settings/settings-screen'))
const SignInScreen = lazy(() => import('@/features/session/sign-in-screen'))

export function App() {
  return (
    <ErrorBoundary>
      <Router base="/app">
        <Session />
      </Router>
    </ErrorBoundary>
  )
}

/** Somebody is signed in, or is asked to sign in at the address they wanted. */
function Session() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const me = useQuery(ME)
  const [isChat, wanted] = useRoute('/chat/:campaign?/*?')
  const [isJoining] = useRoute('/join')
  useLanguage()
  useAgainOnline(me.isError, me.refetch)

  if (me.error) {
    return <Notice kind="error" words={wordsFor(me.error, t)} action={{ label: t('retry'), run: () => void me.refetch() }} />
  }
  if (me.data === undefined) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  const enter = (person: Person) => queries.setQueryData(ME.queryKey, arrive(person))
  if (me.data === null) {
    return (
      <>
        <Header person={null} />
        <Suspense>
          {isJoining ? (
            <JoinScreen person={null} onJoined={enter} />
          ) : isChat ? (
            <GuestDoor campaign={numberOf(wanted.campaign)} onEntered={enter} />
          ) : (
            <SignInScreen onSignedIn={enter} />
          )}
        </Suspense>
      </>
    )
  }
  if (me.data.role === 'guest') return <Suspense><GuestScreens /></Suspense>
  return (
    <>
      {/* First: what is sent says whose it is from the first request on. */}
      <SessionEnd key={`end ${me.data.id}`} person={me.data} />
      <Screens key={me.data.id} person={me.data} />
    </>
  )
}

/** What failed without a network is asked again as soon as there is one. */
function useAgainOnline(isWaiting: boolean, again: () => unknown) {
  useEffect(() => {
    if (!isWaiting) return
    const listener = () => void again()
    addEventListener('online', listener)
    return () => removeEventListener('online', listener)
  }, [isWaiting, again])
}

function Screens({ person }: { person: Person }) {
  const { t } = useTranslation()
  const [sheet, setSheet] = useState<'shortcuts' | null>(null)
  const { view: guideline } = useGuidelinePanel()
  const [, work] = useRoute<{ screen: string; campaign: string }>('/:screen/:campaign')
  const campaigns = useQuery({ queryKey: ['campaigns'], queryFn: listCampaigns, refetchInterval: 30_000 })
  const campaign = campaigns.data?.find(({ id }) => String(id) === work?.campaign)
  // Beside a task, and not beside itself.
  const hasPanel = campaign !== undefined && work?.screen !== 'guidelines'

  const [location] = useLocation()
  useRouteFocus(location)

  // Most people come to rank: have it there before they ask.
  useEffect(() => void loadRankScreen(), [])

  useCommands(['everywhere'], {
    showShortcuts: () => setSheet('shortcuts'),
    showGuideline: () => hasPanel && (toggleGuideline(), true),
  })

  return (
    <>
      <a className="skip-link" href="#main">{t('skipToMain')}</a>
      <Header person={person} campaigns={campaigns.data} campaign={campaign} onShortcuts={() => setSheet('shortcuts')}
        onGuideline={hasPanel ? toggleGuideline : undefined} />
      <UpdateNotice />
      <BreakReminder />
      <div className="workspace">
      <main id="main" tabIndex={-1}>
        <ErrorBoundary at={location}>
        <Suspense fallback={<p className="waiting" aria-busy="true">{t('loading')}</p>}>
        <Switch>
          <Route path="/">
            <HomeScreen person={person} campaigns={campaigns.data} error={campaigns.error}
              onRetry={campaigns.refetch} />
          </Route>
          <Route path="/history"><HistoryScreen campaigns={campaigns.data ?? []} /></Route>
          <Route path="/history/rankings/:key">{({ key }) => <RankingRecord key={key} id={key} />}</Route>
          <Route path="/history/rankings/:key/correct">{({ key }) => campaigns.data && <CorrectRanking key={key} id={key} person={person} campaigns={campaigns.data} />}</Route>
          <Route path="/history/demonstrations/:id">{({ id }) => <DemonstrationRecord key={id} id={Number(id)} />}</Route>
          <Route path="/guidelines/:campaign">
            {campaign ? <GuidelineScreen key={campaign.id} campaign={campaign} /> : campaigns.data && <NoSuchPage />}
          </Route>
          <Route path="/rank/:campaign">
            {({ campaign: id }) => (
              <ConsentGate key={id} campaign={Number(id)} name={campaign?.name ?? ''}>
                <TourGate tour={(onDone) => <Example person={person} onDone={onDone} />}>
                  <RankScreen campaign={Number(id)} name={campaign?.name ?? ''} person={person} />
                </TourGate>
              </ConsentGate>
            )}
          </Route>
          <Route path="/practice/:campaign">
            {({ campaign: id }) => (
              <ConsentGate key={id} campaign={Number(id)} name={campaign?.name ?? ''}>
                <TourGate tour={(onDone) => <Example person={person} onDone={onDone} />}>
                  <Practice campaign={Number(id)} name={campaign?.name ?? ''} person={person} />
                </TourGate>
              </ConsentGate>
            )}
          </Route>
          <Route path="/tour"><Example person={person} onDone={() => history.back()} /></Route>
          <Route path="/demonstrate/:campaign">
            {({ campaign: id }) => (
              <ConsentGate key={id} campaign={Number(id)} name={campaign?.name ?? ''}>
                <DemonstrateScreen campaign={Number(id)} name={campaign?.name ?? ''} person={person} />
              </ConsentGate>
            )}
          </Route>
          <Route path="/chat/:campaign?/:chat?">
            {({ campaign, chat }) => <ChatScreen campaign={numberOf(campaign)} chat={numberOf(chat)} />}
          </Route>
          <Route path="/join"><JoinScreen person={person} onJoined={() => undefined} /></Route>
          <Route path="/my-data"><OwnDataScreen /></Route>
          <Route path="/settings"><SettingsScreen /></Route>
          {person.role === 'labeler' && <Route path="/:reviewing(review|adjudicate)/*?"><NoPermission /></Route>}
          <Route path="/review"><ReviewHome /></Route>
          <Route path="/review/:campaign">
            {({ campaign: id }) => (
              <ReviewScreen key={id} campaign={Number(id)} name={campaign?.name ?? ''} person={person} />
            )}
          </Route>
          <Route path="/adjudicate/:campaign">
            {({ campaign: id }) => (
              <ConsentGate key={id} campaign={Number(id)} name={campaign?.name ?? ''}>
                <RankScreen campaign={Number(id)} name={campaign?.name ?? ''} person={person} work="adjudicate" />
              </ConsentGate>
            )}
          </Route>
          <Route><NoSuchPage /></Route>
        </Switch>
        </Suspense>
        </ErrorBoundary>
      </main>
      <ErrorBoundary at={location}>
        <Suspense>{guideline && hasPanel && <GuidelinePanel key={campaign.id} campaign={campaign} />}</Suspense>
      </ErrorBoundary>
      </div>
      <ErrorBoundary>
      <Suspense>
      {sheet === 'shortcuts' && <ShortcutSheet onClose={() => setSheet(null)} />}
      </Suspense>
      </ErrorBoundary>
    </>
  )
}

function NoSuchPage() {
  const { t } = useTranslation()
  useTitle(t('noSuchPage'))
  return (
    <div className="empty">
      <h1>{t('noSuchPage')}</h1>
      <Link href="/">{t('toHome')}</Link>
    </div>
  )
}

/** The server would refuse it as well; here it is said before anything is asked. */
function NoPermission() {
  const { t } = useTranslation()
  useTitle(t('noPermission'))
  return (
    <div className="empty">
      <h1>{t('noPermission')}</h1>
      <p>{t('noPermissionExplain')}</p>
      <Link href="/">{t('toHome')}</Link>
    </div>
  )
}

/** Speak the language that is preferred, whoever changed it and where. */
function useLanguage(): void {
  const { i18n } = useTranslation()
  const { language } = usePreferences()
  useEffect(() => {
    if (language === null || language === i18n.language) return
    // Without its words the language stays what it is, and the choice says so.
    chooseLanguage(language).catch(() => prefer({ language: i18n.language as typeof language }))
  }, [language, i18n])
}
