/** What this device remembers: localStorage, and the page's own memory where that is full or forbidden. */

const memory = new Map<string, string>()
const listeners = new Set<() => void>()
let isKeeping = true

export function recall(name: string): string | null {
  return memory.get(name) ?? attempt(() => localStorage.getItem(name), null)
}

/** Whether it will still be there when the page is gone. */
export function remember(name: string, text: string): boolean {
  const isKept = attempt(() => (localStorage.setItem(name, text), true), false)
  if (isKept) memory.delete(name)
  else memory.set(name, text)
  tell(isKept)
  return isKept
}

export function forget(name: string): void {
  memory.delete(name)
  attempt(() => localStorage.removeItem(name), undefined)
}

export function names(): string[] {
  return [...new Set([...memory.keys(), ...attempt(() => Object.keys(localStorage), [])])]
}

/** The last thing to remember was kept; false: it lives as long as this page. */
export const deviceKeeps = (): boolean => isKeeping

export function onDeviceKeeps(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function tell(isKept: boolean): void {
  if (isKept === isKeeping) return
  isKeeping = isKept
  listeners.forEach((listener) => listener())
}

function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act()
  } catch {
    // A browser that forbids storage throws at its name already.
    return otherwise
  }
}
