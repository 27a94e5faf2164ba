import markdownIt, { type StateCore, type StateInline, type Token } from 'markdown-it'

import { readMath } from './math'

// Beyond these, one pathological text could freeze the page: what exceeds them is shown as it was written.
export const MOST_CHARACTERS = 60_000
const MOST_PARTS = 6_000
const MOST_LEVELS = 40
const MOST_HIGHLIGHTED = 20_000
const MOST_MATH = 10_000
const MOST_FORMULAS = 300

/** One paragraph, list, table, …: its tokens; or its source, where it is too much to be formatted. */
export type Block = { tokens: readonly Token[] } | { source: string }

export type Read = { blocks: readonly Block[]; hasCode: boolean; hasMath: boolean }

const reader = markdownIt({ html: false, linkify: true })
  .use(readMath)
  .use((it) => {
    it.inline.ruler.before('html_inline', 'line_break', lineBreak)
    it.core.ruler.after('inline', 'tasks', readTasks)
    it.validateLink = leadsOut
    // The address as it is: a name in foreign letters may be made to look like another.
    it.normalizeLinkText = (address) => address
    it.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false }).add('ftp:', null).add('//', null)
  })

/** Links lead to other places of the web or to a mailbox; anything else stays text. */
export function leadsOut(address: string): boolean {
  return /^(https?:\/\/|mailto:)[^\s]/i.test(address) && URL.canParse(address)
}

/** What a text says, block by block. Never throws because of its length or depth. */
export function readMarkdown(text: string): Read {
  const source = text.replace(/\r\n?/g, '\n')
  if (source.length > MOST_CHARACTERS) return { blocks: [{ source }], hasCode: false, hasMath: false }
  const tokens = reader.parse(source, {})
  return { blocks: blocksOf(tokens, source.split('\n')), ...spend(tokens) }
}

function blocksOf(tokens: readonly Token[], lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  let parts = 0
  for (let start = 0, end; start < tokens.length; start = end) {
    end = endOf(tokens, start)
    const block = tokens.slice(start, end)
    const [first, last] = block[0]!.map!
    parts += block.reduce((sum, { type, children }) => sum + (children?.length ?? 0) + (type === 'fence' ? 5 : 1), 0)
    if (parts > MOST_PARTS) return [...blocks, { source: lines.slice(first).join('\n') }]
    const isDeep = depthOf(block) > MOST_LEVELS
    blocks.push(isDeep ? { source: lines.slice(first, last).join('\n') } : { tokens: block })
  }
  return blocks
}

function endOf(tokens: readonly Token[], start: number): number {
  if (tokens[start]!.nesting === 0) return start + 1
  let end = start + 1
  while (tokens[end]!.level !== 0) end += 1
  return end + 1
}

function depthOf(tokens: readonly Token[]): number {
  let depth = 0
  let deepest = 0
  for (const { nesting, children } of tokens) {
    depth += nesting
    deepest = Math.max(deepest, depth + (children ? depthOf(children) : 0))
  }
  return deepest
}

/** Give code and formulas their colors and shapes as long as there is time for it. */
function spend(tokens: readonly Token[]): { hasCode: boolean; hasMath: boolean } {
  let code = 0
  let math = 0
  let formulas = 0
  for (const token of tokens.flatMap((block) => [block, ...(block.children ?? [])])) {
    if (token.type === 'fence') {
      code += token.content.length
      token.meta = { isPlain: code > MOST_HIGHLIGHTED }
    } else if (token.type === 'formula') {
      math += token.content.length
      formulas += 1
      token.meta = { ...token.meta, isPlain: math > MOST_MATH || formulas > MOST_FORMULAS }
    }
  }
  return { hasCode: code > 0, hasMath: formulas > 0 }
}

/** In the cells of a table there is no other way to begin a line. */
function lineBreak(state: StateInline, isSilent: boolean): boolean {
  const found = state.src.startsWith('<', state.pos) && /^<br\s{0,9}\/?>/i.exec(state.src.slice(state.pos, state.pos + 16))
  if (!found) return false
  if (!isSilent) state.push('hardbreak', 'br', 0)
  state.pos += found[0].length
  return true
}

/** ``- [x] done`` */
function readTasks({ tokens }: StateCore): void {
  tokens.forEach((token, place) => {
    const text = token.type === 'inline' && tokens[place - 2]?.type === 'list_item_open' && token.children?.[0]
    const box = text && text.type === 'text' && /^\[([ xX])\]\s/.exec(text.content)
    if (!box) return
    text.content = text.content.slice(box[0].length)
    tokens[place - 2]!.meta = { isDone: box[1] !== ' ' }
  })
}
