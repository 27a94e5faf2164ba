import { Markdown } from '@/components/markdown'

import { settled } from './tree'

/** An answer while it is written: what is settled is read as Markdown once, the rest with each piece. */
export function WrittenText({ text }: { text: string }) {
  const [head, tail] = settled(text)
  return (
    <>
      {head && <Markdown text={head} />}
      {tail && <Markdown text={tail} />}
    </>
  )
}
