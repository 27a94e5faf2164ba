// @vitest-environment node
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

type Chunk = { file: string; imports?: string[]; css?: string[]; assets?: string[]; isEntry?: boolean }
type Manifest = Record<string, Chunk>

const DIST = new URL('../../dist/', import.meta.url)
const BUILT = new URL('.vite/manifest.json', DIST)

const KB = 1000
const FIRST_JS = 190 * KB
const FIRST_CSS = 45 * KB
const LAZY_JS = 85 * KB

/** Loaded before anything is shown, though no chunk imports them: the larger of the languages stands for both. */
const LANGUAGES = ['src/locales/en.json', 'src/locales/zh-Hans.json']

function manifest(): Manifest {
  if (!existsSync(BUILT)) throw new Error('The screens are not built: npm run build')
  return JSON.parse(readFileSync(BUILT, 'utf8')) as Manifest
}

/** A chunk and all that it cannot start without. */
function withImports(chunks: Manifest, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  chunks[name]!.imports?.forEach((needed) => withImports(chunks, needed, seen))
  return seen
}

function zipped(file: string): number {
  return gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length
}

/** Sizes with their names, the largest first: what a failed test shows. */
function sizes(files: Iterable<string>) {
  const all = [...new Set(files)].map((file) => ({ file, bytes: zipped(file) })).sort((a, b) => b.bytes - a.bytes)
  return { total: all.reduce((sum, { bytes }) => sum + bytes, 0), largest: all.slice(0, 8) }
}

describe('what the first screen loads', () => {
  const chunks = manifest()
  const first = [...withImports(chunks, 'index.html')]

  it('is little JavaScript', () => {
    const languages = LANGUAGES.map((name) => chunks[name]!.file).sort((a, b) => zipped(b) - zipped(a))
    const { total, largest } = sizes([...first.map((name) => chunks[name]!.file), languages[0]!])

    expect(total, JSON.stringify(largest, null, 2)).toBeLessThanOrEqual(FIRST_JS)
  })

  it('is one language', () => {
    expect(first.filter((name) => LANGUAGES.includes(name))).toEqual([])
  })

  it('is little CSS', () => {
    const { total, largest } = sizes(first.flatMap((name) => chunks[name]!.css ?? []))

    expect(total, JSON.stringify(largest, null, 2)).toBeLessThanOrEqual(FIRST_CSS)
  })

  it('is no font', () => {
    const styles = first.flatMap((name) => chunks[name]!.css ?? []).map((file) => readFileSync(new URL(file, DIST), 'utf8'))

    expect(styles.length).toBeGreaterThan(0)
    expect(styles.flatMap((style) => style.match(/url\([^)]*\.(?:woff2?|ttf|otf)/g) ?? [])).toEqual([])
  })
})

describe('what comes later', () => {
  it('is no large chunk', () => {
    const chunks = Object.values(manifest()).filter(({ file }) => file.endsWith('.js'))
    const { largest } = sizes(chunks.filter(({ isEntry }) => !isEntry).map(({ file }) => file))

    expect(largest.filter(({ bytes }) => bytes > LAZY_JS)).toEqual([])
  })

  it('is only fonts that browsers of today ask for', () => {
    const files = readdirSync(DIST, { recursive: true }).map(String)

    expect(files.filter((file) => /\.(woff|ttf|otf|eot)$/.test(file))).toEqual([])
  })
})
