import type {
  Assignment,
  Campaign,
  Candidate,
  Demonstration,
  HistoryEntry,
  Progress,
  ReviewedDemonstration,
} from '@/api'

const ANSWERS = ['Salt it.', 'Add **lemon**.', 'Brown the onions first.', 'Buy stock cubes.']

/** An assignment like the server's: its candidates are 10 × id and what follows. */
export function sampleAssignment(id: number, changes: Partial<Assignment> = {}): Assignment {
  return {
    id: String(id),
    campaign: 1,
    prompt: {
      id: id + 500,
      messages: [{ role: 'user', content: `Question ${id}: why is my soup flat?` }],
      kind: 'question',
      language: 'en',
    },
    candidates: ANSWERS.map((text, place): Candidate => ({ id: id * 10 + place, text })),
    lease_expires_at: '2026-11-24T12:30:00Z',
    draft: null,
    guideline_version: 1,
    ...changes,
  }
}

export function sampleDemonstration(id: number, changes: Partial<Demonstration> = {}): Demonstration {
  const { prompt } = sampleAssignment(id)
  const fresh = { turns: [], revision: 0, returned_because: '', checklist: [], can_suggest: false, suggestion: null }
  return { id, campaign: 1, prompt, status: 'DRAFT', guideline_version: 1, ...fresh, ...changes }
}

export function sampleReview(id: number, changes: Partial<ReviewedDemonstration> = {}): ReviewedDemonstration {
  const { prompt } = sampleAssignment(id)
  const turns = [{ role: 'assistant' as const, content: `Answer ${id}: add **lemon**.` }]
  return { id, campaign: 1, prompt, turns, is_synthetic: false, revision: 3, guideline_version: 1, earlier: [], ...changes }
}

/** A campaign in which nothing waits. */
export function sampleCampaign(id: number, changes: Partial<Campaign> = {}): Campaign {
  return {
    id,
    name: `Campaign ${id}`,
    description: '',
    is_active: true,
    obstacle: 'NONE',
    guideline_version: 1,
    acknowledged_version: 1,
    asks: { strength: false, rating_axes: [], flags: false, spans: false, rationale: 'not_asked', edit: false },
    correction_minutes: 60,
    rankings_waiting: 0,
    demonstrations_waiting: 0,
    counted_to: 1000,
    ranked_today: 0,
    demonstrated_today: 0,
    practice_left: 0,
    ...changes,
  }
}

/** Six days without work, and today. */
export function sampleProgress(changes: Partial<Progress> = {}): Progress {
  const days = [18, 19, 20, 21, 22, 23, 24].map((day) => ({ date: `2026-11-${day}`, rankings: 0, demonstrations: 0 }))
  return { days, ranking_seconds: null, demonstration_seconds: null, daily_goal: 0, unfinished: [], feedback: [], feedback_unread: 0, ...changes }
}

export function sampleEntry(id: string, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    kind: 'ranking',
    id,
    campaign: 1,
    campaign_name: 'Kitchen',
    excerpt: `Question ${id}`,
    language: 'en',
    standing: 'SUBMITTED',
    submitted_at: '2026-11-24T12:00:00Z',
    seconds_spent: 12,
    revision: 1,
    shown_order: [13, 10, 12, 11],
    tiers: [[10], [13, 11]],
    unacceptable: [12],
    cannot_judge: '',
    correctable_until: null,
    feedback: [],
    ...changes,
  }
}
