import bash from 'highlight.js/lib/languages/bash'
import cpp from 'highlight.js/lib/languages/cpp'
import css from 'highlight.js/lib/languages/css'
import diff from 'highlight.js/lib/languages/diff'
import go from 'highlight.js/lib/languages/go'
import java from 'highlight.js/lib/languages/java'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import python from 'highlight.js/lib/languages/python'
import rust from 'highlight.js/lib/languages/rust'
import sql from 'highlight.js/lib/languages/sql'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'
import { createLowlight } from 'lowlight'

/** A stretch of code in one color; parts may lie in parts. */
export type Shade = string | { name: string; parts: Shade[] }

const MOST_SHADES = 4_000

const lowlight = createLowlight({
  bash, cpp, css, diff, go, java, javascript, json, python, rust, sql, typescript, xml, yaml,
})
lowlight.registerAlias({ cpp: ['c', 'h'], bash: ['shell', 'console'] })

type Node = { type: string; value?: string; properties?: { className?: unknown }; children?: unknown[] }

/** The code in stretches of color, or null where its language is none that we know. */
export function highlight(text: string, language: string): Shade[] | null {
  if (!lowlight.registered(language)) return null
  let left = MOST_SHADES
  const shade = (node: Node): Shade => {
    left -= 1
    if (node.type === 'text') return node.value ?? ''
    return { name: [node.properties?.className].flat().join(' '), parts: (node.children as Node[]).map(shade) }
  }
  const shades = (lowlight.highlight(language, text).children as Node[]).map(shade)
  return left < 0 ? null : shades
}
