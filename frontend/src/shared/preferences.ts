import { useSyncExternalStore } from 'react'

/** How somebody likes their screens. The server keeps what differs from how they come; the words are its own. */
export type Preferences = {
  /** Null is the browser's. */
  language: 'en' | 'zh-Hans' | null
  theme: 'system' | 'light' | 'dark'
  text_size: number
  density: 'comfortable' | 'compact'
  /** Whether a key alone is a command (WCAG 2.1.4). */
  single_keys: boolean
  /** The chords of commands that were given others, by "scope.command". */
  keys: Record<string, string[]>
  key_hints: boolean
  /** Active minutes before a break is proposed; 0 is never. */
  break_minutes: number
  /** Items a day; 0 is none. */
  daily_goal: number
  /** Whether they went through the tour, or wanted none. */
  tour_seen: boolean
}

export const AS_THEY_COME: Preferences = {
  language: null,
  theme: 'system',
  text_size: 16,
  density: 'comfortable',
  single_keys: true,
  keys: {},
  key_hints: true,
  break_minutes: 50,
  daily_goal: 0,
  tour_seen: false,
}

/** What changes; null is as the screens come. */
export type PreferenceChanges = { [Name in keyof Preferences]?: Preferences[Name] | null }

export type PreferencesSaved = 'saved' | 'saving' | 'waiting' | 'refused'

type Send = (changes: PreferenceChanges) => Promise<unknown>

/** The copy on this device: shown before the server has answered, and what it has not been told yet. */
type Copy = { person: number | null; kept: PreferenceChanges; unsent: PreferenceChanges }

const KEY = 'rankwright.preferences'
const listeners = new Set<() => void>()

let copy = readCopy()
let preferences = merge(copy)
let saved: PreferencesSaved = 'saved'
let send: Send | null = null
/** The call under way; one of somebody who left in the meantime changes nothing here. */
let call: symbol | null = null

/** The preferences of whoever is signed in, or of whoever was last on this device. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, readPreferences)
}

export function usePreferencesSaved(): PreferencesSaved {
  return useSyncExternalStore(subscribe, () => saved)
}

export function readPreferences(): Preferences {
  return preferences
}

/** Change some of them: at once here, then on the server. */
export function prefer(changes: PreferenceChanges): void {
  keep({ ...copy, unsent: { ...copy.unsent, ...changes } })
  void sendUnsent()
}

/** From now on they are this person's, and ``sender`` tells the server of changes. */
export function adoptPreferences(person: number, kept: PreferenceChanges, sender: Send): void {
  // What was chosen before the sign-in is the choice of whoever signs in; what somebody else chose is not.
  const unsent = copy.person === null || copy.person === person ? copy.unsent : {}
  if (copy.person !== person) call = null
  send = sender
  keep({ person, kept, unsent })
  void sendUnsent()
}

/** Nobody is signed in: what was personal stays with the server. */
export function leavePreferences(): void {
  send = call = null
  saved = 'saved'
  const { language, theme, text_size } = preferences
  keep({ person: null, kept: { language, theme, text_size }, unsent: {} })
}

export function onPreferences(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

async function sendUnsent(): Promise<void> {
  if (call || !send || Object.keys(copy.unsent).length === 0) return
  const batch = copy.unsent
  const mine = (call = Symbol())
  tell('saving')
  const outcome = await send(batch).then(() => 'saved' as const, outcomeOf)
  if (call !== mine) return
  call = null
  if (outcome !== 'waiting') settle(batch, outcome)
  tell(outcome)
  if (outcome === 'saved') void sendUnsent()
}

/** The server has answered: what it took is kept, what it refused never was. */
function settle(batch: PreferenceChanges, outcome: 'saved' | 'refused'): void {
  const unsent = Object.entries(copy.unsent).filter(([name, value]) => batch[name as keyof Preferences] !== value)
  keep({ ...copy, unsent: Object.fromEntries(unsent), kept: outcome === 'saved' ? { ...copy.kept, ...batch } : copy.kept })
}

function outcomeOf(error: unknown): 'waiting' | 'refused' {
  const { isTemporary, isSignedOut } = error as { isTemporary?: boolean; isSignedOut?: boolean }
  return isTemporary || isSignedOut ? 'waiting' : 'refused'
}

function keep(next: Copy): void {
  copy = next
  preferences = merge(copy)
  try {
    localStorage.setItem(KEY, JSON.stringify(copy))
  } catch {
    // A full or forbidden storage: the server keeps them.
  }
  listeners.forEach((listener) => listener())
}

function tell(news: PreferencesSaved): void {
  saved = news
  listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void): () => void {
  return onPreferences(listener)
}

function merge({ kept, unsent }: Copy): Preferences {
  const changed = Object.entries({ ...kept, ...unsent }).filter(([, value]) => value !== null && value !== undefined)
  return { ...AS_THEY_COME, ...Object.fromEntries(changed) }
}

function readCopy(): Copy {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Copy | null
    if (read && typeof read.kept === 'object' && typeof read.unsent === 'object') return read
  } catch {
    // Not ours, or no storage: as they come.
  }
  return { person: null, kept: {}, unsent: {} }
}

addEventListener('online', () => void sendUnsent())
// Another tab of the same browser has changed them.
addEventListener('storage', (event) => {
  if (event.key !== KEY && event.key !== null) return
  copy = readCopy()
  preferences = merge(copy)
  listeners.forEach((listener) => listener())
})
