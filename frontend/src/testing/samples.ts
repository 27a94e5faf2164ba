import type { Assignment, Candidate, Demonstration, ReviewedDemonstration } from '@/api'

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
  return { id, campaign: 1, prompt, turns, revision: 3, guideline_version: 1, earlier: [], ...changes }
}
