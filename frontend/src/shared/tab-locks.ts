/** Locks between the tabs of one browser. Without them, or over plain HTTP, every tab has every lock. */

/** Do it unless another tab is at it; ``null`` says that one is. The browser frees the lock when a tab dies. */
export async function unlessElsewhere<T>(name: string, act: () => Promise<T>): Promise<T | null> {
  const locks = lockManager()
  if (!locks) return act()
  return locks.request(name, { ifAvailable: true }, (lock) => (lock ? act() : null))
}

export function lockManager(): LockManager | null {
  return 'locks' in navigator ? navigator.locks : null
}
