import type { TFunction } from 'i18next'

/** Words for the reader: the server's where it gave some, ours where nobody answered. */
export function wordsFor(error: unknown, t: TFunction): string {
  if (typeof error === 'object' && error !== null && 'detail' in error && error.detail) return String(error.detail)
  return t('error.unreachable')
}
