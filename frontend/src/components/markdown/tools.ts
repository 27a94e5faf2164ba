import { use } from 'react'

import type { highlight } from './highlight'
import type { Read } from './read'
import type { typeset } from './typeset'

export type Tools = { highlight?: typeof highlight | undefined; typeset?: typeof typeset | undefined }

const loadHighlight = once(() => import('./highlight'))
const loadTypeset = once(() => import('./typeset'))

/** What a text needs beyond words: waits until it is there, the first time. */
export function useTools({ hasCode, hasMath }: Read): Tools {
  return {
    highlight: hasCode ? use(loadHighlight())?.highlight : undefined,
    typeset: hasMath ? use(loadTypeset())?.typeset : undefined,
  }
}

/** The same promise each time, so that what is there needs no waiting. A failure is tried again by the next text. */
function once<T>(load: () => Promise<T>): () => Promise<T | null> {
  let loading: Promise<T | null> | null = null
  return () =>
    (loading ??= load().catch(() => {
      setTimeout(() => (loading = null))
      return null
    }))
}
