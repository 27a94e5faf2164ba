import { Fragment, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

/** Signs that nobody sees: controls, zero-width ones, those that turn the direction, fillers, piles of marks. */
const HIDDEN =
  /(?![\t\n])(?:[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]|\p{VS}|\u034F|\u17B4|\u17B5)|\p{M}{9,}/gu
const MOST_SIGNS = 200
const MOST_MARKS = 8

const JOINED = /[\p{M}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Nko}\p{sc=Mongolian}\p{sc=Devanagari}\p{sc=Bengali}\p{sc=Gurmukhi}\p{sc=Gujarati}\p{sc=Oriya}\p{sc=Tamil}\p{sc=Telugu}\p{sc=Kannada}\p{sc=Malayalam}\p{sc=Sinhala}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Tibetan}]$/u
const PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\u20E3]$/u
const VARIED = /[\p{Emoji}\p{S}\p{P}\p{sc=Han}\p{sc=Myanmar}\p{sc=Phags_Pa}]$/u
const FLAG = /\u{1F3F4}[\u{E0020}-\u{E007E}]*$/u
const SPACELESS = /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]$/u
const RIGHT_TO_LEFT = /[\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Thaana}\p{sc=Nko}]/u
/** Format signs of Arabic and its like that are seen. */
const SEEN = /[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}]/u

type Hidden = { sign: string; times: number }

export function hasHidden(text: string): boolean {
  return piecesOf(text).some((piece) => typeof piece !== 'string')
}

/** The text, with what cannot be seen in it made visible. */
export function Revealed({ text }: { text: string }): ReactNode {
  const pieces = piecesOf(text)
  if (pieces.length === 1 && typeof pieces[0] === 'string') return text
  const shown = pieces.slice(0, 2 * MOST_SIGNS)
  const rest = pieces.slice(2 * MOST_SIGNS).map((piece) => (typeof piece === 'string' ? piece : `[${codeOf(piece)}]`))
  return (
    <>
      {shown.map((piece, place) =>
        typeof piece === 'string' ? <Fragment key={place}>{piece}</Fragment> : <HiddenSign key={place} {...piece} />,
      )}
      {rest.join('')}
    </>
  )
}

function HiddenSign(hidden: Hidden) {
  const { t } = useTranslation()
  const code = codeOf(hidden)
  return <span className="hidden-sign" title={t('text.hidden', { code })}>{code}</span>
}

function codeOf({ sign, times }: Hidden): string {
  const code = sign.codePointAt(0)!
  const name = code < 0x20 ? String.fromCodePoint(0x2400 + code) : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return times > 1 ? `${name}×${times}` : name
}

/** Stretches of text, and hidden signs between them; the same one many times is one. */
function piecesOf(text: string): (string | Hidden)[] {
  const pieces: (string | Hidden)[] = []
  let end = 0
  for (const match of text.matchAll(HIDDEN)) {
    const { 0: sign, index } = match
    const isPile = sign.length > MOST_MARKS
    if (!isPile && isAtHome(sign, text, index)) continue
    const start = isPile ? index + MOST_MARKS : index
    const last = pieces.at(-1)
    if (start > end || typeof last !== 'object' || last.sign !== sign) {
      if (start > end) pieces.push(text.slice(end, start))
      pieces.push({ sign: isPile ? sign.slice(MOST_MARKS) : sign, times: isPile ? [...sign].length - MOST_MARKS : 1 })
    } else {
      last.times += 1
    }
    end = index + sign.length
  }
  if (end < text.length || pieces.length === 0) pieces.push(text.slice(end))
  return pieces
}

/** Whether a sign does there what it is for: joins Persian letters or emoji, varies a sign, ends a Thai word. */
function isAtHome(sign: string, text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 16), at)
  const after = text.slice(at + sign.length, at + sign.length + 2)
  if (sign === '\u200D' && PICTURE.test(before)) {
    // A family has up to five; thousands would keep the browser busy for seconds.
    return /^\p{Extended_Pictographic}/u.test(after) && before.split(sign).length <= 5
  }
  if (sign === '\u200C' || sign === '\u200D') return JOINED.test(before)
  if (sign === '\u200B') return SPACELESS.test(before)
  if (/[\u200E\u200F\u061C]/.test(sign)) return RIGHT_TO_LEFT.test(text)
  if (/\p{VS}/u.test(sign)) return VARIED.test(before)
  if (/[\u{E0020}-\u{E007F}]/u.test(sign)) return FLAG.test(before)
  return SEEN.test(sign)
}
