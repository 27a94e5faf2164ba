/** Time at work since the last rest, in milliseconds; the clock is passed in. */
export type ActiveTime = { worked: number; last: number }

/** Reading keeps hands still; whoever moves nothing for longer has rested. */
export const REST_MS = 5 * 60_000

/** Somebody did something: what lies between that and the last thing was work, or a rest. */
export function touch({ worked, last }: ActiveTime, now: number): ActiveTime {
  const since = Math.max(0, now - last)
  return { worked: since >= REST_MS ? 0 : worked + since, last: now }
}
