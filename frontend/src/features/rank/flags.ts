import type { Flag } from '@/api'

export type { Flag } from '@/api'

// The server's list: the type checker refuses one too few, one too many, and one that is spelled otherwise.
const ALL: Record<Flag, true> = {
  wrong_task: true,
  hallucination: true,
  breaks_constraint: true,
  unfit_for_assistant: true,
  harmful_advice: true,
  encourages_harm: true,
  violent: true,
  sexual: true,
  denigrates: true,
  opinion: true,
  moral_judgement: true,
}

/** What can be wrong with a response, in the order in which it is offered. */
export const FLAGS = Object.keys(ALL) as Flag[]

export function isFlag(word: unknown): word is Flag {
  return typeof word === 'string' && Object.hasOwn(ALL, word)
}
