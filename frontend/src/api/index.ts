import { answer, client } from './client'
import type { components } from './schema'

export { actAs, onConsentNeeded, onSignedOut } from './client'
export { ApiError, refusal } from './errors'
export { serverNow } from './server-time'

type Schemas = components['schemas']

export type Person = Schemas['PersonOutput']
export type PreferenceChanges = Schemas['PatchedPreferencesInputRequest']
export type Campaign = Schemas['CampaignOutput']
export type Asks = Schemas['AsksOutput']
export type Guideline = Schemas['GuidelineOutput']
export type GuidelineVersion = Schemas['GuidelineVersionOutput']
export type GuidelineText = Schemas['GuidelineTextOutput']
export type Progress = Schemas['ProgressOutput']
export type Unfinished = Schemas['UnfinishedOutput']
export type SkippedDemonstration = Schemas['SkippedDemonstrationOutput']
export type UnreadFeedback = Schemas['UnreadFeedbackOutput']
export type Feedback = Schemas['FeedbackOutput']
export type HistoryEntry = Schemas['HistoryEntryOutput']
export type HistoryPage = Schemas['HistoryOutput']
export type OwnRanking = Schemas['OwnHandedInRankingOutput']
export type OwnDemonstration = Schemas['OwnHandedInDemonstrationOutput']
export type Consent = Schemas['ConsentOutput']
export type OwnData = Schemas['OwnDataOutput']
export type GivenConsent = Schemas['GivenConsentOutput']
export type ErasureMode = Schemas['ErasureInputRequest']['mode']
export type Prompt = Schemas['PromptOutput']
export type Message = Schemas['MessageOutput']
export type Assignment = Schemas['AssignmentOutput']
export type RankingDraft = Schemas['RankingDraftOutput']
export type Candidate = Schemas['CandidateOutput']
export type Demonstration = Schemas['DemonstrationOutput']
export type Turn = Schemas['TurnOutput']
export type Flag = Schemas['FlagEnum']
export type RankingBody = Schemas['RankingInputRequest']
export type CorrectionBody = Schemas['JudgementInputRequest']
export type ReviewsWaiting = Schemas['ReviewsWaitingOutput']
export type ReviewedDemonstration = Schemas['ReviewedDemonstrationOutput']
export type ReviewBody = Schemas['ReviewInputRequest']
export type Order = Schemas['OrderOutput']
export type Practice = Schemas['PracticeOutput']
export type PracticeItem = Schemas['ShownPracticeOutput']
export type PracticeResult = Schemas['PracticeAttemptOutput']
export type ChatCampaign = Schemas['ChatCampaignOutput']
export type Chat = Schemas['ChatOutput']
export type WholeChat = Schemas['WholeChatOutput']
export type ChatMessage = Schemas['ChatMessageOutput']
export type SideBySide = Schemas['SideBySideOutput']
export type ChatVerdict = Schemas['ChatVerdict']
export type NewMessages = Schemas['NewMessagesOutput']
export type Thumb = Schemas['ThumbOutput']
export type Invitation = Schemas['InvitationOutput']
export type SubmissionBody = Schemas['SubmissionInputRequest']

/** How to send: whose it is, until when to wait, and whether to go on when the page goes away. */
export type Sending = { person?: number; signal?: AbortSignal; keepalive?: boolean }

const initOf = ({ person, ...init }: Sending) => ({ ...init, ...(person !== undefined && { headers: { 'X-Person': String(person) } }) })

export const getMe = () => answer(client.GET('/api/me'))

export const changePreferences = (body: PreferenceChanges) => answer(client.PATCH('/api/me/preferences', { body }))

export const signIn = (body: Schemas['SignInInputRequest']) => answer(client.POST('/api/session', { body }))

export const findInvitation = (token: string) => answer(client.POST('/api/invitations/find', { body: { token } }))

export const acceptInvitation = (body: Schemas['AcceptInputRequest']) =>
  answer(client.POST('/api/invitations/accept', { body }))

export const signOut = () => answer(client.DELETE('/api/session'))

/** A day begins at the reader's midnight, not at the server's. */
const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone

export const listCampaigns = () => answer(client.GET('/api/campaigns', { params: { query: { time_zone } } }))

export const getProgress = () => answer(client.GET('/api/me/progress', { params: { query: { time_zone } } }))

export type HistoryFilter = { campaign?: number; kind?: HistoryEntry['kind']; standing?: HistoryEntry['standing'] }

export const listHistory = (filter: HistoryFilter & { after?: string }) =>
  answer(client.GET('/api/me/history', { params: { query: filter } }))

export const getOwnRanking = (key: string) => answer(client.GET('/api/me/rankings/{key}', { params: { path: { key } } }))

export const getOwnDemonstration = (demonstrationId: number) =>
  answer(client.GET('/api/me/demonstrations/{demonstration_id}', { params: { path: { demonstration_id: demonstrationId } } }))

export const readFeedback = (reviews: number[]) => answer(client.POST('/api/me/feedback/read', { body: { reviews } }))

export const listGuidelines = (campaignId: number) =>
  answer(client.GET('/api/campaigns/{campaign_id}/guidelines', { params: { path: { campaign_id: campaignId } } }))

export const getGuidelineVersion = (campaignId: number, version: number) =>
  answer(
    client.GET('/api/campaigns/{campaign_id}/guidelines/{version}', {
      params: { path: { campaign_id: campaignId, version } },
    }),
  )

export const acknowledgeGuideline = (campaignId: number, version: number) =>
  answer(
    client.POST('/api/campaigns/{campaign_id}/guidelines/{version}/acknowledgement', {
      params: { path: { campaign_id: campaignId, version } },
    }),
  )

export const getGuideline = (campaignId: number) =>
  answer(client.GET('/api/campaigns/{campaign_id}/guideline', { params: { path: { campaign_id: campaignId } } }))

export const getConsent = (campaignId: number) =>
  answer(client.GET('/api/campaigns/{campaign_id}/consent', { params: { path: { campaign_id: campaignId } } }))

export const giveConsent = (campaignId: number, version: number) =>
  answer(
    client.POST('/api/campaigns/{campaign_id}/consent', {
      params: { path: { campaign_id: campaignId } },
      body: { version },
    }),
  )

export const withdrawConsent = (campaignId: number) =>
  answer(client.DELETE('/api/campaigns/{campaign_id}/consent', { params: { path: { campaign_id: campaignId } } }))

export const getOwnData = () => answer(client.GET('/api/me/data'))

/** Where the browser downloads everything that one contributed. */
export const OWN_CONTRIBUTIONS = '/api/me/contributions'

export const askForErasure = (mode: ErasureMode) => answer(client.POST('/api/me/erasure', { body: { mode } }))

export const takeBackErasure = () => answer(client.DELETE('/api/me/erasure'))

export const claimAssignments = (campaignId: number, body: { count: number; holding: string[] }) =>
  answer(
    client.POST('/api/campaigns/{campaign_id}/assignments', {
      params: { path: { campaign_id: campaignId } },
      body,
    }),
  )

/** The next practice item; the one just left comes after all others. */
export const getPractice = (campaignId: number, after: number | null) =>
  answer(
    client.GET('/api/campaigns/{campaign_id}/practice', {
      params: { path: { campaign_id: campaignId }, query: after === null ? {} : { after } },
    }),
  )

export const attemptPractice = (itemId: number, body: Schemas['PracticeAttemptInputRequest']) =>
  answer(client.POST('/api/practice/{item_id}/attempts', { params: { path: { item_id: itemId } }, body }))

export const submitRanking = (key: string, body: RankingBody, how: Sending = {}) =>
  answer(
    client.POST('/api/assignments/{key}/ranking', {
      params: { path: { key } },
      body,
      ...initOf(how),
    }),
  )

export const correctRanking = (key: string, body: CorrectionBody, how: Sending = {}) =>
  answer(
    client.POST('/api/assignments/{key}/corrections', {
      params: { path: { key } },
      body,
      ...initOf(how),
    }),
  )

export const saveRankingDraft = (key: string, body: { content: unknown; revision: number }, how: Sending = {}) =>
  answer(
    client.PUT('/api/assignments/{key}/draft', {
      params: { path: { key } },
      body,
      ...initOf(how),
    }),
  )

export const skipAssignment = (key: string, body: { reason: string; holding: string[] }) =>
  answer(
    client.POST('/api/assignments/{key}/skip', {
      params: { path: { key } },
      body,
    }),
  )

export const extendAssignment = (key: string) =>
  answer(
    client.POST('/api/assignments/{key}/heartbeat', {
      params: { path: { key } },
    }),
  )

export const claimDemonstration = (campaignId: number) =>
  answer(
    client.POST('/api/campaigns/{campaign_id}/demonstrations', {
      params: { path: { campaign_id: campaignId } },
    }),
  )

export const saveDraft = (demonstrationId: number, body: { turns: Turn[]; revision: number }, how: Sending = {}) =>
  answer(
    client.PUT('/api/demonstrations/{demonstration_id}/draft', {
      params: { path: { demonstration_id: demonstrationId } },
      body,
      ...initOf(how),
    }),
  )

export const submitDemonstration = (demonstrationId: number, body: SubmissionBody, how: Sending = {}) =>
  answer(
    client.POST('/api/demonstrations/{demonstration_id}/submission', {
      params: { path: { demonstration_id: demonstrationId } },
      body,
      ...initOf(how),
    }),
  )

export const showSuggestion = (demonstrationId: number) =>
  answer(
    client.POST('/api/demonstrations/{demonstration_id}/suggestion', {
      params: { path: { demonstration_id: demonstrationId } },
    }),
  )

export const skipDemonstration = (demonstrationId: number, reason: string) =>
  answer(
    client.POST('/api/demonstrations/{demonstration_id}/skip', {
      params: { path: { demonstration_id: demonstrationId } },
      body: { reason },
    }),
  )

export const takeUpDemonstration = (demonstrationId: number) =>
  answer(
    client.DELETE('/api/demonstrations/{demonstration_id}/skip', {
      params: { path: { demonstration_id: demonstrationId } },
    }),
  )

export const listSkipped = () => answer(client.GET('/api/me/skipped'))

export const listReviews = () => answer(client.GET('/api/reviews'))

export const claimReview = (campaignId: number) =>
  answer(client.POST('/api/campaigns/{campaign_id}/reviews', { params: { path: { campaign_id: campaignId } } }))

export const reviewDemonstration = (demonstrationId: number, body: ReviewBody) =>
  answer(
    client.POST('/api/demonstrations/{demonstration_id}/review', {
      params: { path: { demonstration_id: demonstrationId } },
      body,
    }),
  )

export const claimAdjudications = (campaignId: number, body: { count: number; holding: string[] }) =>
  answer(
    client.POST('/api/campaigns/{campaign_id}/adjudications', {
      params: { path: { campaign_id: campaignId } },
      body,
    }),
  )

export const listOrders = (key: string) => answer(client.GET('/api/assignments/{key}/orders', { params: { path: { key } } }))

export const listChatCampaigns = () => answer(client.GET('/api/chat/campaigns'))

export const becomeGuest = (campaign: number) => answer(client.POST('/api/chat/guests', { body: { campaign } }))

export const consentToChatTraining = (campaign: number, allows: boolean) =>
  answer(
    client.PUT('/api/chat/campaigns/{campaign_id}/training', {
      params: { path: { campaign_id: campaign } },
      body: { allows_training: allows },
    }),
  )

export const listChats = (campaign: number) =>
  answer(client.GET('/api/chat/campaigns/{campaign_id}/chats', { params: { path: { campaign_id: campaign } } }))

export const beginChat = (campaign: number) =>
  answer(client.POST('/api/chat/campaigns/{campaign_id}/chats', { params: { path: { campaign_id: campaign } } }))

export const getChat = (chat: number) => answer(client.GET('/api/chats/{chat_id}', { params: { path: { chat_id: chat } } }))

export const renameChat = (chat: number, title: string) =>
  answer(client.PATCH('/api/chats/{chat_id}', { params: { path: { chat_id: chat } }, body: { title } }))

export const deleteChat = (chat: number) => answer(client.DELETE('/api/chats/{chat_id}', { params: { path: { chat_id: chat } } }))

export const sendMessage = (chat: number, body: Schemas['MessageInputRequest']) =>
  answer(client.POST('/api/chats/{chat_id}/messages', { params: { path: { chat_id: chat } }, body }))

export const answerAgain = (message: number) =>
  answer(client.POST('/api/chat/answers/{message_id}/again', { params: { path: { message_id: message } } }))

export const stopAnswer = (message: number) =>
  answer(client.POST('/api/chat/answers/{message_id}/stop', { params: { path: { message_id: message } } }))

export const giveThumb = (message: number, body: Schemas['ThumbInputRequest']) =>
  answer(client.PUT('/api/chat/answers/{message_id}/thumb', { params: { path: { message_id: message } }, body }))

export const takeThumbBack = (message: number) =>
  answer(client.DELETE('/api/chat/answers/{message_id}/thumb', { params: { path: { message_id: message } } }))

export const writeBetterAnswer = (message: number, text: string) =>
  answer(client.PUT('/api/chat/answers/{message_id}/better', { params: { path: { message_id: message } }, body: { text } }))

export const decideBetween = (pair: number, verdict: ChatVerdict) =>
  answer(client.PUT('/api/chat/pairs/{pair_id}', { params: { path: { pair_id: pair } }, body: { verdict } }))
