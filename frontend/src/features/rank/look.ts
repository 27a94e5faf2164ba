import { createContext, useContext, useState } from 'react'

/** How somebody looks at responses: the same for the next item. */
export type Look = {
  /** All of them side by side, or one at a time. */
  readonly view: 'columns' | 'focus'
  readonly isRaw: boolean
  /** Near-duplicates as what changed from one to the other. */
  readonly showsChanges: boolean
}

type Looking = readonly [Look, (look: Look) => void]

const AT_FIRST: Look = { view: 'columns', isRaw: false, showsChanges: false }

/** Shared by the items of one screen. */
export const LookOfScreen = createContext<Looking | null>(null)

export function useOwnLook(): Looking {
  return useState(AT_FIRST)
}

export function useLook(): Looking {
  const own = useOwnLook()
  return useContext(LookOfScreen) ?? own
}
