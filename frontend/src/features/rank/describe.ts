import type { TFunction } from 'i18next'

import { type Ballot, left } from './ballot'

/** What a candidate is called on screen: A for the one shown first. */
export function letterIn(candidates: readonly number[], id: number): string {
  return String.fromCharCode(65 + candidates.indexOf(id))
}

/** The ballot in words, for the live region. */
export function describe(ballot: Ballot, candidates: readonly number[], t: TFunction): string {
  const letters = (ids: readonly number[], sign: string) => ids.map((id) => letterIn(candidates, id)).join(sign)
  const order = ballot.tiers.map((tier) => letters(tier, ' = ')).join(' > ')
  const remaining = left(ballot, candidates).length
  return [
    order || t('rank.said.nothing'),
    ballot.unacceptable.length > 0 && t('rank.said.unacceptable', { letters: letters(ballot.unacceptable, ', ') }),
    remaining > 0 ? t('rank.said.left', { count: remaining }) : t('rank.said.complete'),
  ]
    .filter(Boolean)
    .join('. ')
}
