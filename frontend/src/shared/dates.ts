/** A moment of the server's as a day, in the reader's language. */
export function dateOf(moment: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(new Date(moment))
}

/** A moment of lately as a day and a time: two versions of something are told apart by it. */
export function timeOf(moment: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(moment)
}
