import type { MarkdownIt, StateBlock, StateInline } from 'markdown-it'

/** How models and people mark formulas. The double ones stand on a line of their own when shown. */
const MARKS = [
  { open: '$$', close: '$$', isDisplay: true },
  { open: '$', close: '$', isDisplay: false },
  { open: '\\[', close: '\\]', isDisplay: true },
  { open: '\\(', close: '\\)', isDisplay: false },
] as const

type Marks = (typeof MARKS)[number]

const MOST_LINES = 100

/** Teach the reader formulas: each becomes a token ``formula``, with its TeX as the content. */
export function readMath(reader: MarkdownIt): void {
  reader.inline.ruler.before('escape', 'formula', formulaInText)
  reader.block.ruler.before('fence', 'formula', formulaAsBlock, { alt: ['paragraph', 'reference', 'blockquote', 'list'] })
}

function formulaInText(state: StateInline, isSilent: boolean): boolean {
  const marks = marksAt(state.src, state.pos)
  if (!marks) return false
  const start = state.pos + marks.open.length
  const end = closing(state, marks, start)
  if (end < 0 || !isFormula(state.src, start, end, marks)) return false
  if (!isSilent) {
    const token = state.push('formula', '', 0)
    token.content = state.src.slice(start, end)
    token.meta = { isDisplay: marks.isDisplay }
  }
  state.pos = end + marks.close.length
  return true
}

const searchedInVain = new WeakMap<StateInline, Set<string>>()

/** Where the formula ends, or -1. What was not found once is not searched for again: many marks must cost little. */
function closing(state: StateInline, { close }: Marks, start: number): number {
  const inVain = searchedInVain.get(state) ?? new Set()
  const search = `${close} before ${state.posMax}`
  if (inVain.has(search)) return -1
  const end = unescaped(state.src, close, start, state.posMax)
  if (end < 0) searchedInVain.set(state, inVain.add(search))
  return end
}

function unescaped(text: string, mark: string, from: number, most: number): number {
  for (let at = text.indexOf(mark, from); at >= 0 && at + mark.length <= most; at = text.indexOf(mark, at + 1)) {
    if (mark[0] === '\\' || text[at - 1] !== '\\') return at
  }
  return -1
}

/** As pandoc has it, so that "$5 and $10" is money: the marks stand tight, and no digit follows. */
function isFormula(text: string, start: number, end: number, { open }: Marks): boolean {
  if (text.slice(start, end).trim() === '') return false
  return open !== '$' || (/\S/.test(text[start]!) && /\S/.test(text[end - 1]!) && !/\d/.test(text[end + 1] ?? ''))
}

function formulaAsBlock(state: StateBlock, first: number, last: number, isSilent: boolean): boolean {
  const from = state.bMarks[first]! + state.tShift[first]!
  const marks = marksAt(state.src, from)
  if (!marks?.isDisplay || state.sCount[first]! - state.blkIndent >= 4) return false
  const start = from + marks.open.length
  const end = closingAlone(state, marks, start, first, Math.min(last, first + MOST_LINES))
  if (!end || state.src.slice(start, end.at).trim() === '') return false
  if (isSilent) return true
  const token = state.push('formula', '', 0)
  token.content = state.src.slice(start, end.at)
  token.map = [first, end.line + 1]
  token.meta = { isDisplay: true }
  state.line = end.line + 1
  return true
}

/** The closing marks, if the block has them before an empty line and nothing stands behind them. */
function closingAlone(state: StateBlock, { close }: Marks, start: number, first: number, last: number) {
  for (let line = first; line < last; line++) {
    if (line > first && (state.isEmpty(line) || state.sCount[line]! < state.blkIndent)) return null
    const from = line === first ? start : state.bMarks[line]! + state.tShift[line]!
    const text = state.src.slice(from, state.eMarks[line])
    const at = unescaped(text, close, 0, text.length)
    if (at >= 0) return text.slice(at + close.length).trim() === '' ? { at: from + at, line } : null
  }
  return null
}

function marksAt(text: string, at: number): Marks | undefined {
  return MARKS.find(({ open }) => text.startsWith(open, at))
}
