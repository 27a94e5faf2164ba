import { createContext, type MouseEvent, type ReactNode, useContext } from 'react'

import { leadsOut } from './read'

/** Ask whether to follow a link. */
export const Leave = createContext<(address: string) => void>(() => undefined)

/** A link that somebody else wrote: it says where it leads, and asks before it goes there. */
export function OutwardLink({ address, text, children }: { address: string; text: string; children: ReactNode }) {
  const leave = useContext(Leave)
  if (!leadsOut(address)) return <span>{children}</span>

  function ask(event: MouseEvent) {
    // Clicking a link says nothing about the answer that it stands in.
    event.stopPropagation()
    event.preventDefault()
    leave(address)
  }

  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address} onClick={ask}>
      {children}
      <span className="outward" dir="ltr"> {text === address ? '↗' : `(${hostOf(address)} ↗)`}</span>
    </a>
  )
}

/** Who will be asked: a site's name as the browser understands it, or the mailbox. */
export function hostOf(address: string): string {
  try {
    const { protocol, host, pathname } = new URL(address)
    return protocol === 'mailto:' ? decodeURIComponent(pathname) : host
  } catch {
    return address
  }
}
