import type { RankingDraft } from '@/api'
import { recall, remember } from '@/shared/device'
import { newKey } from '@/shared/unique'

/** What is kept of a ranking under way: an object of the screen's own making, which must be read with distrust. */
export type KeptRanking = { readonly [name: string]: unknown }

/** On this device: with the server's revision that it goes on from. */
export type KeptHere = { content: KeptRanking; revision: number }

/** At the server: with the device that wrote it. */
export type KeptThere = { content: KeptRanking; device: string }

export type Version = { content: KeptRanking; at: number }

export type Opening = {
  /** What to show. */
  content: KeptRanking | null
  /** The server's revision to go on from. */
  revision: number
  /** The server does not have it yet. */
  isAhead: boolean
  /** Another device went another way: the two versions, of which ``mine`` is shown. */
  parted: { mine: Version; theirs: Version } | null
}

/** Of what this device kept and what the server has, the newer; both when they parted. */
export function openKept(here: { at: number; value: unknown } | null, draft: RankingDraft | null, device: string): Opening {
  const mine = readKept(here?.value)
  const theirs = readThere(draft?.content)
  const saved = draft?.revision ?? 0
  // What came with the assignment may be older than what was saved from here since.
  const revision = Math.max(saved, mine?.revision ?? 0)
  if (!mine) return { content: theirs?.content ?? null, revision, isAhead: false, parted: null }
  if (!draft || !theirs) return { content: mine.content, revision, isAhead: true, parted: null }
  const isSame = JSON.stringify(mine.content) === JSON.stringify(theirs.content)
  // What this device sent last is never newer than what it kept: keeping comes first.
  const goesOn = mine.revision >= saved || theirs.device === device
  const parted = isSame || goesOn ? null : partedFrom({ content: mine.content, at: here!.at }, draft)
  return { content: mine.content, revision, isAhead: !isSame, parted }
}

/** The two versions, once the server says that it has another one. */
export function partedFrom(mine: Version, draft: RankingDraft): Opening['parted'] {
  return { mine, theirs: { content: readThere(draft.content)?.content ?? {}, at: Date.parse(draft.saved_at) } }
}

export function readKept(value: unknown): KeptHere | null {
  if (!isObject(value) || !isObject(value.content)) return null
  return { content: value.content, revision: Number(value.revision) || 0 }
}

export function readThere(value: unknown): KeptThere | null {
  if (!isObject(value) || !isObject(value.content)) return null
  return { content: value.content, device: String(value.device ?? '') }
}

/** A name for this browser, to tell its drafts from those of another one. */
export function thisDevice(): string {
  const known = recall('rankwright.device')
  if (known) return known
  const name = newKey()
  remember('rankwright.device', name)
  return name
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
