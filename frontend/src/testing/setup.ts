import { cleanup } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, vi } from 'vitest'

import { chooseLanguage, startLanguages } from '@/shared/i18n'

// What jsdom lacks and the screens ask for; a test in plain node has no window to mend.
if (typeof window !== 'undefined') {
  window.scrollTo = () => undefined
  window.matchMedia = (media) => Object.assign(new EventTarget(), { media, matches: false }) as unknown as MediaQueryList

  beforeAll(startLanguages)
  beforeEach(() => {
    localStorage.clear()
    chooseLanguage('en')
  })
  afterEach(() => {
    cleanup()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
}
