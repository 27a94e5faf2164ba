import type { ReactNode } from 'react'

import { prefer, usePreferences } from '@/shared/preferences'

type Props = { tour: (onDone: () => void) => ReactNode; children: ReactNode }

/** The work; before the first time, the tour. */
export function TourGate({ tour, children }: Props) {
  const { tour_seen: isSeen } = usePreferences()
  return isSeen ? children : tour(() => prefer({ tour_seen: true }))
}
