import 'katex/dist/katex.min.css'

import katex from 'katex'

const OPTIONS = {
  // Its own way to show a mistake writes a style attribute, which the content policy refuses.
  throwOnError: true,
  // No links, images, classes or ids from within a formula.
  trust: false,
  strict: 'ignore',
  maxExpand: 200,
  maxSize: 20,
  errorColor: 'currentcolor',
  output: 'htmlAndMathml',
} as const
/** Macros of one's own multiply: a short formula could become a long one. */
const MACROS = /\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand)(?![a-zA-Z])/
const MOST_WITH_MACROS = 500
const MOST_CHARACTERS = 2_000

/** The formula as KaTeX sets it, for the eye and (as MathML) for the ear; null where it cannot be set. */
export function typeset(tex: string, isDisplay: boolean): HTMLElement | null {
  if (tex.length > (MACROS.test(tex) ? MOST_WITH_MACROS : MOST_CHARACTERS)) return null
  const place = document.createElement('span')
  try {
    katex.render(tex, place, { ...OPTIONS, displayMode: isDisplay })
  } catch {
    return null
  }
  return place
}
