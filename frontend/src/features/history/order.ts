import type { TFunction } from 'i18next'

type Ordered = {
  tiers?: readonly (readonly number[])[]
  unacceptable?: readonly number[] | undefined
  cannot_judge?: string | undefined
}

/** What a candidate was called on screen: A for the one shown first. */
export function letterIn(shown: readonly number[], id: number): string {
  return String.fromCharCode(65 + shown.indexOf(id))
}

/** A ranking in words, with the letters as they were shown: "B > A = D. Unacceptable: C". */
export function orderInWords(ranking: Ordered, shown: readonly number[], t: TFunction): string {
  const { tiers = [], unacceptable = [], cannot_judge } = ranking
  if (cannot_judge) return t('history.cannotJudge', { reason: cannot_judge })
  const letters = (ids: readonly number[], sign: string) => ids.map((id) => letterIn(shown, id)).join(sign)
  const order = tiers.map((tier) => letters(tier, ' = ')).join(' > ')
  const rejected = unacceptable.length > 0 ? t('history.unacceptable', { letters: letters(unacceptable, ', ') }) : ''
  return [order, rejected].filter(Boolean).join(' · ')
}

/** The place of a candidate, from 1; null where it has none. */
export function rankIn(tiers: readonly (readonly number[])[], id: number): number | null {
  const place = tiers.findIndex((tier) => tier.includes(id))
  return place === -1 ? null : place + 1
}
