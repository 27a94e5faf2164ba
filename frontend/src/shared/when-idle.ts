/** Fetch now, while there is a network and time, what will be needed when there is neither; returns how to stop. */
export function whenIdle(load: () => Promise<unknown>): () => void {
  // Not at once: the first screen's own requests come first.
  const timer = setTimeout(() => void load().catch(() => undefined), 2000)
  return () => clearTimeout(timer)
}
