import type { ReactNode } from 'react'

import { useTourSeen } from '@/shared/tour-seen'

type Props = { person: number; tour: (onDone: () => void) => ReactNode; children: ReactNode }

/** The work; before the first time, the tour. */
export function TourGate({ person, tour, children }: Props) {
  const [isSeen, markSeen] = useTourSeen(person)
  return isSeen ? children : tour(markSeen)
}
