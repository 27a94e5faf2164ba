/** A moment of the server's as a day, in the reader's language. */
export function dateOf(moment: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(new Date(moment))
}
