import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

/** Whether this person has seen the tour, or wanted none, and how to say so; remembered on this device. */
export function useTourSeen(person: number): [boolean, () => void] {
  return [useSyncExternalStore(subscribe, () => read(person)), () => write(person)]
}

function nameFor(person: number): string {
  return `rankwright.tourSeen.${person}`
}

// A storage that is full or forbidden is no reason to show it every time.
const seenNow = new Set<number>()

function read(person: number): boolean {
  try {
    return seenNow.has(person) || localStorage.getItem(nameFor(person)) !== null
  } catch {
    return seenNow.has(person)
  }
}

function write(person: number): void {
  seenNow.add(person)
  try {
    localStorage.setItem(nameFor(person), 'yes')
  } catch {
    // It is remembered until the page is left.
  }
  listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
