import i18next from 'i18next'
import { describe, expect, it } from 'vitest'

import { wordsFor } from './errors'

describe('the words for an error', () => {
  it("are the server's own", () => {
    expect(wordsFor({ detail: 'This is no longer yours.' }, i18next.t)).toBe('This is no longer yours.')
  })

  it.each([[{ detail: '' }], [new TypeError('Failed to fetch')], ['boom'], [null]])('are ours where it gave none: %s', (error) => {
    expect(wordsFor(error, i18next.t)).toBe('The server cannot be reached. Your work is kept on this device.')
  })
})
