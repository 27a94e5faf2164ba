import { Fragment, type ReactNode, useMemo } from 'react'

import { Revealed } from './hidden-signs'
import type { Shade } from './highlight'
import type { Tools } from './tools'

/** Code as it was written, in colors where its language is known. */
export function Code({ text, language, tools: { highlight } }: { text: string; language: string; tools: Tools }) {
  const shades = useMemo(() => highlight?.(text, language), [highlight, text, language])
  return (
    // Focusable, so that keys can scroll what is wider than its place.
    <pre tabIndex={0} dir="ltr" data-language={language || undefined}>
      <code>{shades ? shades.map(shaded) : <Revealed text={text} />}</code>
    </pre>
  )
}

function shaded(shade: Shade, place: number): ReactNode {
  if (typeof shade === 'string') return <Fragment key={place}><Revealed text={shade} /></Fragment>
  return <span key={place} className={shade.name}>{shade.parts.map(shaded)}</span>
}
