/** Where words begin and end. Chinese and Thai put no spaces between them: the browser knows. */
export function segmenterFor(language: string | undefined): Intl.Segmenter {
  try {
    return new Intl.Segmenter(language || undefined, { granularity: 'word' })
  } catch {
    // Imported prompts may name languages that no browser knows.
    return new Intl.Segmenter(undefined, { granularity: 'word' })
  }
}
