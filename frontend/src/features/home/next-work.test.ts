// @vitest-environment node
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Campaign } from '@/api'
import { sampleCampaign } from '@/testing/samples'

import { nextWork, reasonToWait } from './next-work'

const BEGUN = { kind: 'demonstration' as const, campaign: 9, campaign_name: 'Garden', excerpt: 'Why?', saved_at: null }

const someCampaigns = fc.array(
  fc.record({ rankings_waiting: fc.nat(2), demonstrations_waiting: fc.nat(2), ranked_today: fc.nat(3), demonstrated_today: fc.nat(3) }),
  { maxLength: 4 },
)

describe('what to go on with', () => {
  it('is what was begun, before anything that waits', () => {
    const next = nextWork([sampleCampaign(1, { rankings_waiting: 5 })], [BEGUN])

    expect(next).toEqual({ href: '/demonstrate/9', kind: 'demonstration', campaign: 'Garden', isBegun: true })
  })

  it('is where most was done today, else the first ranking', () => {
    const kitchen = sampleCampaign(1, { rankings_waiting: 5, demonstrations_waiting: 5 })
    const garden = sampleCampaign(2, { rankings_waiting: 5, ranked_today: 3 })

    expect(nextWork([kitchen], [])?.href).toBe('/rank/1')
    expect(nextWork([kitchen, garden], [])?.href).toBe('/rank/2')
  })

  it('is practice where rankings ask for it first', () => {
    expect(nextWork([sampleCampaign(1, { rankings_waiting: 5, practice_left: 2 })], [])?.href).toBe('/practice/1')
  })

  it('always waits, and is there whenever something does', () => {
    fc.assert(
      fc.property(someCampaigns, (counts) => {
        const campaigns = counts.map((count, place) => sampleCampaign(place + 1, count))
        const next = nextWork(campaigns, [])

        const waiting = campaigns.flatMap(({ id, rankings_waiting, demonstrations_waiting }) => [
          ...(rankings_waiting > 0 ? [`/rank/${id}`] : []),
          ...(demonstrations_waiting > 0 ? [`/demonstrate/${id}`] : []),
        ])
        expect(next === null).toBe(waiting.length === 0)
        if (next) expect(waiting).toContain(next.href)
      }),
    )
  })
})

describe('why nothing waits', () => {
  it.each<[Partial<Campaign>, string | null]>([
    [{}, 'done'],
    [{ rankings_waiting: 1 }, null],
    [{ obstacle: 'CAMPAIGN_PAUSED', rankings_waiting: 1 }, 'campaignPaused'],
    [{ obstacle: 'CONSENT_NEEDED', rankings_waiting: 1 }, 'consentNeeded'],
    [{ obstacle: 'LABELER_PAUSED' }, 'labelerPaused'],
    [{ obstacle: 'OTHER_LANGUAGES' }, 'otherLanguages'],
    [{ obstacle: 'OTHER_LANGUAGES', demonstrations_waiting: 1 }, null],
    [{ obstacle: 'OTHER_SKILLS' }, 'otherSkills'],
  ])('%j is told as %s', (changes, reason) => {
    expect(reasonToWait(sampleCampaign(1, changes))).toBe(reason)
  })
})
