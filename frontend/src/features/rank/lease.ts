const BEAT_MS = 60_000
const WARN_MS = 5 * 60_000

type Moment = {
  /** How long the lease was when it was last renewed, and what is left of it. */
  length: number
  left: number
  /** Since the last sign of life that the server got. */
  sinceBeat: number
  /** Somebody did something since then. */
  isActive: boolean
  isVisible: boolean
}

/** Of a lease as it stands: send a sign of life, warn that nobody gives one, or nothing. */
export function dueOf({ length, left, sinceBeat, isActive, isVisible }: Moment): 'beat' | 'warn' | null {
  if (!isVisible) return null
  const isShort = left <= Math.min(WARN_MS, length / 3)
  if (isActive) return isShort || sinceBeat >= Math.min(BEAT_MS, length / 3) ? 'beat' : null
  return isShort ? 'warn' : null
}

/** Minutes and seconds, for a countdown: 4:05. */
export function clockOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
