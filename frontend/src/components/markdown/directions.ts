const FIRST_LETTER = /[\p{L}]/u
const RIGHT_TO_LEFT = /[\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Thaana}\p{sc=Nko}\p{sc=Samaritan}\p{sc=Mandaic}\p{sc=Adlam}]/u

/** Where a text begins, by its first letter: for what holds paragraphs and cannot ask the browser with "auto". */
export function directionOf(text: string): 'rtl' | 'ltr' {
  const letter = FIRST_LETTER.exec(text)
  return letter && RIGHT_TO_LEFT.test(letter[0]) ? 'rtl' : 'ltr'
}
