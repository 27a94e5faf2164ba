import { useSyncExternalStore } from 'react'

const KEY = 'rankwright.singleKeys'
const listeners = new Set<() => void>()

/** Whether single keys are commands, and the switch for it; remembered on this device. */
export function useSingleKeys(): [boolean, (on: boolean) => void] {
  return [useSyncExternalStore(subscribe, read), write]
}

function read(): boolean {
  return localStorage.getItem(KEY) !== 'off'
}

function write(on: boolean): void {
  localStorage.setItem(KEY, on ? 'on' : 'off')
  listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
