import type { Campaign, Unfinished } from '@/api'

export type NextWork = { href: string; kind: Unfinished['kind']; campaign: string; isBegun: boolean }

export type Reason = 'campaignPaused' | 'consentNeeded' | 'labelerPaused' | 'otherLanguages' | 'otherSkills' | 'done'

/** Where work of a kind is done. */
export function placeOf(kind: Unfinished['kind'], campaign: number): string {
  return kind === 'ranking' ? `/rank/${campaign}` : `/demonstrate/${campaign}`
}

/** What to go on with: what was begun, else where most was done today, else the first that waits. */
export function nextWork(campaigns: readonly Campaign[], unfinished: readonly Unfinished[]): NextWork | null {
  const begun = unfinished[0]
  if (begun) {
    return { href: placeOf(begun.kind, begun.campaign), kind: begun.kind, campaign: begun.campaign_name, isBegun: true }
  }
  const waiting = campaigns.flatMap(kindsOf).filter((kind) => kind.waiting > 0)
  // Sorting keeps the order of equals: rankings first, campaigns as they are listed.
  const best = waiting.sort((one, other) => other.today - one.today)[0]
  return best ? { href: best.href, kind: best.kind, campaign: best.name, isBegun: false } : null
}

/** Why nothing waits in a campaign; null where something does. */
export function reasonToWait(campaign: Campaign): Reason | null {
  const reasons = {
    CAMPAIGN_PAUSED: 'campaignPaused',
    CONSENT_NEEDED: 'consentNeeded',
    LABELER_PAUSED: 'labelerPaused',
    OTHER_LANGUAGES: 'otherLanguages',
    OTHER_SKILLS: 'otherSkills',
    NONE: null,
  } as const
  const reason = reasons[campaign.obstacle]
  const isIdle = kindsOf(campaign).every(({ waiting }) => waiting === 0)
  // What stands in the way of one kind is worth a word only when nothing is left of the other.
  if (reason === 'otherLanguages' || reason === 'otherSkills') return isIdle ? reason : null
  return reason ?? (isIdle ? 'done' : null)
}

function kindsOf({ id, name, rankings_waiting, demonstrations_waiting, ranked_today, demonstrated_today, practice_left }: Campaign) {
  return [
    // Practice comes before the first ranking.
    { href: practice_left > 0 ? `/practice/${id}` : placeOf('ranking', id), name, kind: 'ranking' as const, waiting: rankings_waiting, today: ranked_today },
    { href: placeOf('demonstration', id), name, kind: 'demonstration' as const, waiting: demonstrations_waiting, today: demonstrated_today },
  ]
}
