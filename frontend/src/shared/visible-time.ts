import { useCallback, useEffect, useState } from 'react'

/** Seconds during which something was really in front of somebody. The clock is passed in, in milliseconds. */
export class VisibleTime {
  private total: number
  private shownSince: number | null = null

  constructor(secondsBefore = 0) {
    this.total = secondsBefore * 1000
  }

  show(now: number): void {
    this.shownSince ??= now
  }

  hide(now: number): void {
    this.total = this.milliseconds(now)
    this.shownSince = null
  }

  seconds(now: number): number {
    return Math.round(this.milliseconds(now) / 100) / 10
  }

  private milliseconds(now: number): number {
    return this.total + (this.shownSince === null ? 0 : Math.max(0, now - this.shownSince))
  }
}

/** A reader of the seconds during which the component was shown in a visible tab. */
export function useVisibleSeconds(secondsBefore = 0): () => number {
  const [time] = useState(() => new VisibleTime(secondsBefore))

  useEffect(() => {
    const follow = () => {
      if (document.visibilityState === 'visible') time.show(performance.now())
      else time.hide(performance.now())
    }
    follow()
    document.addEventListener('visibilitychange', follow)
    return () => {
      document.removeEventListener('visibilitychange', follow)
      time.hide(performance.now())
    }
  }, [time])

  return useCallback(() => time.seconds(performance.now()), [time])
}
