import { useCallback, useMemo } from 'react'

import { hasHidden, Revealed } from './hidden-signs'
import type { Tools } from './tools'

/** A formula, set; or as it was written, where it cannot be or not yet. */
export function Formula({ tex, isDisplay, tools: { typeset } }: { tex: string; isDisplay: boolean; tools: Tools }) {
  // Made while rendering, so that a formula of the next item is there before that is shown.
  const made = useMemo(() => (hasHidden(tex) ? null : typeset?.(tex, isDisplay)), [typeset, tex, isDisplay])
  const put = useCallback((place: HTMLElement | null) => place?.replaceChildren(...(made ? [made] : [])), [made])
  if (!made) return <code className={isDisplay ? 'tex-block' : undefined} dir="ltr"><Revealed text={tex} /></code>
  return <span className={isDisplay ? 'formula-block' : 'formula'} dir="ltr" tabIndex={isDisplay ? 0 : undefined} ref={put} />
}
