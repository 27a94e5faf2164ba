/** Unfinished work, kept on this device: one JSON value for each kind of work, person and item. */

const PREFIX = 'rankwright.draft'
const KEPT_MS = 14 * 24 * 3600 * 1000

type Stored = { at: number; value: unknown }

export type DraftKey = { kind: 'ranking' | 'demonstration' | 'beside' | 'review' | 'unsent'; person: number; id: string | number }

/** The draft as it was last kept; null when there is none that can be read. */
export function readDraft(key: DraftKey): unknown {
  return parse(localStorage.getItem(nameOf(key)))?.value ?? null
}

/** Whether it was kept: a full or forbidden storage is no reason to stop somebody's work. */
export function keepDraft(key: DraftKey, value: unknown, now = Date.now()): boolean {
  try {
    localStorage.setItem(nameOf(key), JSON.stringify({ at: now, value } satisfies Stored))
    return true
  } catch {
    return false
  }
}

export function dropDraft(key: DraftKey): void {
  localStorage.removeItem(nameOf(key))
}

/** The ids of one kind of draft that a person has on this device. */
export function draftIds({ kind, person }: Omit<DraftKey, 'id'>): string[] {
  const prefix = `${PREFIX}.${kind}.${person}.`
  return Object.keys(localStorage)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .sort()
}

/** Forget drafts that nobody came back to. What was not sent stays. */
export function dropOldDrafts(now = Date.now()): void {
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(PREFIX) || name.startsWith(`${PREFIX}.unsent.`)) continue
    const stored = parse(localStorage.getItem(name))
    if (!stored || now - stored.at > KEPT_MS) localStorage.removeItem(name)
  }
}

function nameOf({ kind, person, id }: DraftKey): string {
  return `${PREFIX}.${kind}.${person}.${id}`
}

function parse(text: string | null): Stored | null {
  try {
    const stored: unknown = JSON.parse(text ?? 'null')
    return typeof stored === 'object' && stored !== null && 'at' in stored ? (stored as Stored) : null
  } catch {
    return null
  }
}
