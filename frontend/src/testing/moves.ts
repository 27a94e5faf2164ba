import fc from 'fast-check'

import type { Move } from '@/features/rank/ballot'

export const TYPES = ['place', 'tie', 'reject', 'takeBack', 'moveUp', 'moveDown', 'tieWithAbove', 'toggleTie'] as const

export const someJoining = (candidates: readonly number[]): fc.Arbitrary<Move> => {
  const id = fc.constantFrom(...candidates)
  return fc.oneof(
    fc.record({ type: fc.constant('insert' as const), id, before: fc.option(id) }),
    fc.record({ type: fc.constant('join' as const), id, other: id }),
    fc.record({ type: fc.constant('prefer' as const), id, strength: fc.constantFrom(1, 2, 3) }),
  )
}

/** Any move of one of these candidates. */
export const someMove = (candidates: readonly number[]): fc.Arbitrary<Move> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ type: fc.constantFrom(...TYPES), id: fc.constantFrom(...candidates) }) },
    { weight: 3, arbitrary: someJoining(candidates) },
    { weight: 1, arbitrary: fc.constantFrom({ type: 'clear' as const }, { type: 'equal' as const }) },
  )
