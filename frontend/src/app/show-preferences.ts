import type { MantineColorSchemeManager } from '@mantine/core'

import { onPreferences, readPreferences } from '@/shared/preferences'

/** Let the page look as it is liked, now and after every change. Django has said the theme before the first script. */
export function showPreferences(): void {
  show()
  onPreferences(show)
}

/** Mantine asks here which theme it is, and keeps none of its own. */
export function themeFromPreferences(): MantineColorSchemeManager {
  let stop = (): void => undefined
  return {
    get: () => scheme(),
    set: () => undefined,
    subscribe: (onUpdate) => {
      stop = onPreferences(() => onUpdate(scheme()))
    },
    unsubscribe: () => stop(),
    clear: () => undefined,
  }
}

function show(): void {
  const { density, key_hints, text_size, theme } = readPreferences()
  const root = document.documentElement
  root.dataset.theme = theme
  root.dataset.density = density
  root.dataset.keyHints = key_hints ? 'shown' : 'hidden'
  root.style.setProperty('--reading-size', `${text_size}px`)
}

function scheme(): 'auto' | 'light' | 'dark' {
  const { theme } = readPreferences()
  return theme === 'system' ? 'auto' : theme
}
