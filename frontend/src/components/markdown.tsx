import { Component, memo, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'

/** Beyond this, one pathological text could freeze the page; it is shown as plain text. */
const MOST_CHARACTERS = 60_000

const schema: typeof defaultSchema = {
  ...defaultSchema,
  protocols: { ...defaultSchema.protocols, href: ['http', 'https', 'mailto'] },
}

/** Headings in people's texts stand below the screen's own. */
const components: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  // A remote image would tell its server who is reading. Its address is shown instead.
  img: ({ src, alt }) => (
    <SafeLink href={typeof src === 'string' ? src : undefined}>🖼 {alt || String(src ?? '')}</SafeLink>
  ),
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }) => (
    <div className="scroll-x" tabIndex={0} role="group">
      <table>{children}</table>
    </div>
  ),
}

type Props = { text: string; language?: string | undefined }

/** What a person or a model wrote, as Markdown; hostile by assumption, so no raw HTML, no scripts, no remote images. */
export const Markdown = memo(function Markdown({ text, language }: Props) {
  const plain = <div className="plain-text">{text}</div>
  return (
    <div className="prose" lang={language || undefined} dir="auto">
      {text.length > MOST_CHARACTERS ? (
        plain
      ) : (
        <PlainTextOnError plain={plain} key={text}>
          <ReactMarkdown remarkPlugins={[remarkGfm]} rehypePlugins={[[rehypeSanitize, schema]]} components={components}>
            {text}
          </ReactMarkdown>
        </PlainTextOnError>
      )}
    </div>
  )
})

function SafeLink({ href, children }: { href?: string | undefined; children: ReactNode }) {
  if (!href || !/^(https?:|mailto:)/i.test(href)) return <span>{children}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
    </a>
  )
}

class PlainTextOnError extends Component<{ plain: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    return this.state.failed ? this.props.plain : this.props.children
  }
}
