import { useSyncExternalStore } from 'react'

export type GuidelineView = 'text' | 'changes'

type Panel = {
  /** What the panel beside the task shows; null while it is closed. */
  view: GuidelineView | null
  isWide: boolean
}

const KEY = 'rankwright.guideline.wide'
const listeners = new Set<() => void>()
let panel: Panel = { view: null, isWide: readWidth() }

/** The guideline beside the task: open or not, for the whole app. */
export function useGuidelinePanel(): Panel {
  return useSyncExternalStore(subscribe, () => panel)
}

export function openGuideline(view: GuidelineView = 'text'): void {
  set({ view })
}

export function closeGuideline(): void {
  set({ view: null })
}

export function toggleGuideline(): void {
  set({ view: panel.view ? null : 'text' })
}

/** Between its two widths; remembered on this device. */
export function widenGuideline(isWide: boolean): void {
  set({ isWide })
  try {
    localStorage.setItem(KEY, isWide ? 'wide' : 'narrow')
  } catch {
    // A full or forbidden storage: it is wide until the page goes.
  }
}

function set(change: Partial<Panel>): void {
  panel = { ...panel, ...change }
  listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function readWidth(): boolean {
  try {
    return localStorage.getItem(KEY) === 'wide'
  } catch {
    return false
  }
}
