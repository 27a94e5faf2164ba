import './prose.css'

import { Component, Fragment, lazy, memo, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { Formatted } from './blocks'
import { Revealed } from './hidden-signs'
import { Leave } from './outward-link'
import { type Read, readMarkdown } from './read'
import { type Tools, useTools } from './tools'

const LeaveDialog = lazy(() => import('./leave-dialog'))

type Props = { text: string; language?: string | undefined }

/** What a person or a model wrote, as Markdown; hostile by assumption, so no HTML, no scripts, no remote images. */
export const Markdown = memo(function Markdown({ text, language }: Props) {
  const [leaving, setLeaving] = useState<string | null>(null)
  const place = useRef<HTMLDivElement>(null)
  // Runs when the text comes on screen, from behind the item before as well.
  useEffect(() => unfoldAfterPaint(place.current!), [])
  return (
    <div className="prose" lang={language || undefined} dir="auto" ref={place}>
      <PlainTextOnError plain={<PlainText text={text} />} key={text}>
        <Leave value={setLeaving}>
          <Content text={text} />
        </Leave>
      </PlainTextOnError>
      {leaving !== null && (
        <Suspense>
          <LeaveDialog address={leaving} onClose={() => setLeaving(null)} />
        </Suspense>
      )}
    </div>
  )
})

/** The style sheet leaves out what is far below until the first words are painted: they should not wait for it. */
function unfoldAfterPaint(place: HTMLElement) {
  const frame = requestAnimationFrame(() => setTimeout(() => (place.dataset.whole = '')))
  return () => cancelAnimationFrame(frame)
}

const Content = memo(function Content({ text }: { text: string }) {
  const read = useMemo(() => readMarkdown(text), [text])
  if (!read.hasCode && !read.hasMath) return <Blocks read={read} tools={{}} />
  return (
    // Until colors and formulas are there, the first time, code and TeX stand as they were written.
    <Suspense fallback={<Blocks read={read} tools={{}} />}>
      <Equipped read={read} />
    </Suspense>
  )
})

function Equipped({ read }: { read: Read }) {
  return <Blocks read={read} tools={useTools(read)} />
}

function Blocks({ read, tools }: { read: Read; tools: Tools }) {
  return read.blocks.map((block, place) => (
    // Blocks never change place: another text is another component.
    <Fragment key={place}>
      {'tokens' in block ? <Formatted tokens={block.tokens} tools={tools} /> : <PlainText text={block.source} />}
    </Fragment>
  ))
}

/** As it was written, for what cannot or should not be formatted. */
function PlainText({ text }: { text: string }) {
  const { t } = useTranslation()
  return (
    <>
      <p className="plain-note">{t('text.plain')}</p>
      <div className="plain-text" dir="auto"><Revealed text={text} /></div>
    </>
  )
}

/** An answer that cannot be shown formatted is shown as it is, and leaves the others alone. */
class PlainTextOnError extends Component<{ plain: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    return this.state.failed ? this.props.plain : this.props.children
  }
}
