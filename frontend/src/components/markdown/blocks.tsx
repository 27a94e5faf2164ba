import type { Token } from 'markdown-it'
import { Fragment, type ReactNode } from 'react'

import { Code } from './code'
import { directionOf } from './directions'
import { Formula } from './formula'
import { Revealed } from './hidden-signs'
import { OutwardLink } from './outward-link'
import { TaskBox } from './task-box'
import type { Tools } from './tools'

type Tokens = readonly Token[]
type Opened = { token: Token; children: ReactNode[]; inner: Tokens }

/** A block as React elements. Only what is named here can come of it; whatever else a token says is text. */
export function Formatted({ tokens, tools }: { tokens: Tokens; tools: Tools }): ReactNode {
  const stack: Opened[] = []
  const root: ReactNode[] = []
  tokens.forEach((token, place) => {
    const siblings = () => stack.at(-1)?.children ?? root
    if (token.nesting === 1) {
      stack.push({ token, children: [], inner: tokens.slice(place + 1, place + 8) })
    } else if (token.nesting === -1) {
      const closed = stack.pop()!
      siblings().push(<Fragment key={place}>{wrapped(closed)}</Fragment>)
    } else {
      siblings().push(<Fragment key={place}>{leaf(token, tools)}</Fragment>)
    }
  })
  return root
}

function wrapped({ token, children, inner }: Opened): ReactNode {
  // Blocks that hold blocks take the direction of their first words.
  const direction = () => directionOf(inner.find(({ type }) => type === 'inline')?.content ?? '')
  switch (token.type) {
    case 'paragraph_open':
      return token.hidden ? children : <p dir="auto">{children}</p>
    case 'heading_open': {
      // Headings in people's texts stand below the screen's own.
      const Heading = HEADINGS[token.tag] ?? 'h6'
      return <Heading dir="auto">{children}</Heading>
    }
    case 'bullet_list_open':
      return <ul dir={direction()}>{children}</ul>
    case 'ordered_list_open':
      return <ol dir={direction()} start={Number(token.attrGet('start') ?? 1)}>{children}</ol>
    case 'list_item_open':
      return <li dir={direction()}>{token.meta && <TaskBox isDone={Boolean(token.meta.isDone)} />}{children}</li>
    case 'blockquote_open':
      return <blockquote dir={direction()}>{children}</blockquote>
    case 'table_open':
      return (
        <div className="scroll-x" tabIndex={0} role="group">
          <table dir={direction()}>{children}</table>
        </div>
      )
    case 'thead_open':
      return <thead>{children}</thead>
    case 'tbody_open':
      return <tbody>{children}</tbody>
    case 'tr_open':
      return <tr>{children}</tr>
    case 'th_open':
      return <th dir="auto" data-align={alignmentOf(token)}>{children}</th>
    case 'td_open':
      return <td dir="auto" data-align={alignmentOf(token)}>{children}</td>
    case 'em_open':
      return <em>{children}</em>
    case 'strong_open':
      return <strong>{children}</strong>
    case 's_open':
      return <del>{children}</del>
    case 'link_open':
      return (
        <OutwardLink address={String(token.attrGet('href') ?? '')} text={inner[0]?.content ?? ''}>{children}</OutwardLink>
      )
    default:
      return children
  }
}

function leaf(token: Token, tools: Tools): ReactNode {
  const { type, content, meta, children } = token
  const affordable = meta?.isPlain ? {} : tools
  switch (type) {
    case 'inline':
      return <Formatted tokens={children ?? []} tools={tools} />
    case 'code_inline':
      return <code dir="auto"><Revealed text={content} /></code>
    case 'code_block':
      return <Code text={content} language="" tools={tools} />
    case 'fence':
      return <Code text={content} language={token.info.trim().split(/\s/)[0]!.toLowerCase()} tools={affordable} />
    case 'formula':
      return <Formula tex={content} isDisplay={Boolean(meta?.isDisplay)} tools={affordable} />
    case 'image': {
      // A remote image would tell its server who is reading. Its address is shown instead.
      const address = String(token.attrGet('src') ?? '')
      return <OutwardLink address={address} text={content}>🖼 <Revealed text={content || address} /></OutwardLink>
    }
    case 'softbreak':
      return '\n'
    case 'hardbreak':
      return <br />
    case 'hr':
      return <hr />
    default:
      return <Revealed text={content} />
  }
}

const HEADINGS: { [tag: string]: 'h3' | 'h4' | 'h5' | 'h6' } = { h1: 'h3', h2: 'h4', h3: 'h5' }

function alignmentOf(token: Token): string | undefined {
  return /text-align:(\w+)/.exec(String(token.attrGet('style') ?? ''))?.[1]
}
