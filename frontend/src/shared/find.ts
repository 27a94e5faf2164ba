/** Where something stands in a text that is cut into pieces: in which piece, and how far in. */
export type Spot = { piece: number; offset: number }
export type Found = { from: Spot; to: Spot }

/** Every place where ``wanted`` stands in the pieces, also across them; capitals make no difference. */
export function findIn(pieces: readonly string[], wanted: string): Found[] {
  const needle = folded(wanted.trim())
  if (needle === '') return []
  const text = folded(pieces.join(''))
  const spots = spotter(pieces)
  const found: Found[] = []
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + needle.length)) {
    const from = spots(at)
    const last = spots(at + needle.length - 1)
    found.push({ from, to: { piece: last.piece, offset: last.offset + 1 } })
  }
  return found
}

/** In small letters and of the same length, so that places stay where they are. */
function folded(text: string): string {
  const small = text.toLowerCase()
  if (small.length === text.length) return small
  // A capital İ becomes two letters when it is made small.
  return Array.from({ length: text.length }, (_, at) => {
    const letter = text[at]!
    return letter.toLowerCase().length === 1 ? letter.toLowerCase() : letter
  }).join('')
}

/** From a place in all the text to one in a piece. Asked in rising order. */
function spotter(pieces: readonly string[]): (at: number) => Spot {
  let piece = 0
  let before = 0
  return (at) => {
    while (at >= before + pieces[piece]!.length) before += pieces[piece++]!.length
    return { piece, offset: at - before }
  }
}
