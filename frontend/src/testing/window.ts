import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, vi } from 'vitest'

import { closeOutboxes } from '@/components/outbox'
import { chooseLanguage, startLanguages } from '@/shared/i18n'
import { leavePreferences } from '@/shared/preferences'

// What jsdom lacks and the screens ask for.
window.scrollTo = () => undefined
window.matchMedia = (media) => Object.assign(new EventTarget(), { media, matches: false }) as unknown as MediaQueryList
Object.defineProperty(document, 'fonts', { value: new EventTarget() })

// A busy machine is no failure.
configure({ asyncUtilTimeout: 20_000 })

beforeAll(() => startLanguages('en'))

beforeEach(async () => {
  leavePreferences()
  localStorage.clear()
  // As if another tab had forgotten everything.
  dispatchEvent(new StorageEvent('storage', { key: null }))
  await chooseLanguage('en')
})

afterEach(() => {
  cleanup()
  closeOutboxes()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
