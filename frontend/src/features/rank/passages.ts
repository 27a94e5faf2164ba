import type { Flag } from './flags'

/** Of a response's stored text, in code points: from ``start`` up to, not with, ``end``. */
export type Passage = { readonly start: number; readonly end: number; readonly flag: Flag }

/** A stretch of a text, with what is marked in it. */
export type Stretch = { text: string; flags: readonly Flag[] }

/** A text as a text field shows it: there every line ends with a line feed alone. */
export function asInField(text: string): string {
  return text.replace(/\r\n?/g, '\n')
}

/**
 * What is chosen in a field that shows ``text``, as a passage of ``text`` itself; null where it is all spaces.
 * ``from`` and ``to`` are the field's, in UTF-16 units of what it shows.
 */
export function chosenIn(text: string, from: number, to: number): Omit<Passage, 'flag'> | null {
  const chosen = asInField(text).slice(from, to)
  if (chosen.trim() === '') return null
  const first = from + (chosen.length - chosen.trimStart().length)
  const last = from + chosen.trimEnd().length
  return { start: codePointAt(text, first, 'before'), end: codePointAt(text, last, 'after') }
}

export function quoteOf(text: string, { start, end }: Omit<Passage, 'flag'>): string {
  return [...text].slice(start, end).join('')
}

/** With one more, in the order of the text; the same where it is there already. */
export function withPassage(passages: readonly Passage[], added: Passage): readonly Passage[] {
  if (passages.some((one) => isSame(one, added))) return passages
  return [...passages, added].sort((a, b) => a.start - b.start || a.end - b.end || a.flag.localeCompare(b.flag))
}

export function withoutPassage(passages: readonly Passage[], removed: Passage): readonly Passage[] {
  return passages.filter((one) => !isSame(one, removed))
}

/** The whole text, cut where something marked begins or ends. */
export function stretchesOf(text: string, passages: readonly Passage[]): Stretch[] {
  const points = [...text]
  const cuts = [...new Set([0, ...passages.flatMap(({ start, end }) => [start, end]), points.length])].sort((a, b) => a - b)
  return cuts.slice(0, -1).map((start, place) => ({
    text: points.slice(start, cuts[place + 1]).join(''),
    flags: passages.filter((passage) => passage.start <= start && start < passage.end).map(({ flag }) => flag),
  }))
}

function isSame(one: Passage, other: Passage): boolean {
  return one.start === other.start && one.end === other.end && one.flag === other.flag
}

/** Which code point of ``text`` is at a unit of the field; one that is cut in two there is taken whole. */
function codePointAt(text: string, unit: number, cut: 'before' | 'after'): number {
  const points = [...text]
  let units = 0
  for (const [place, point] of points.entries()) {
    if (units >= unit) return place
    // Of the two signs that end a line the field shows one.
    const shown = point === '\r' && points[place + 1] === '\n' ? 0 : point.length
    if (units + shown > unit) return cut === 'before' ? place : place + 1
    units += shown
  }
  return points.length
}
