/** Unfinished work, kept on this device: one JSON value for each kind of work, person and item. */

import { forget, names, recall, remember } from './device'

const PREFIX = 'rankwright.draft'
const KEPT_MS = 14 * 24 * 3600 * 1000

type Stored = { at: number; value: unknown }

/** "skipped" is what was written before an item was skipped: nobody asks for it any more, and it can be found. */
export type DraftKind = 'ranking' | 'demonstration' | 'beside' | 'review' | 'skipped'

export type DraftKey = { kind: DraftKind; person: number; id: string | number }

/** The draft as it was last kept; null when there is none that can be read. */
export function readDraft(key: DraftKey): unknown {
  return readDated(key)?.value ?? null
}

/** The same, with when it was kept. */
export function readDated(key: DraftKey): Stored | null {
  return parse(recall(nameOf(key)))
}

/** Whether it was kept: a full or forbidden storage is no reason to stop somebody's work. */
export function keepDraft(key: DraftKey, value: unknown, now = Date.now()): boolean {
  return remember(nameOf(key), JSON.stringify({ at: now, value } satisfies Stored))
}

export function dropDraft(key: DraftKey): void {
  forget(nameOf(key))
}

/** The ids of one kind of draft that a person has on this device. */
export function draftIds({ kind, person }: Omit<DraftKey, 'id'>): string[] {
  const prefix = `${PREFIX}.${kind}.${person}.`
  return names()
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .sort()
}

/** Forget drafts that nobody came back to. */
export function dropOldDrafts(now = Date.now()): void {
  for (const name of names()) {
    if (!name.startsWith(PREFIX)) continue
    const stored = parse(recall(name))
    if (!stored || now - stored.at > KEPT_MS) forget(name)
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
