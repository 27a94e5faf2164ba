import { Button } from '@mantine/core'
import type { ReactNode } from 'react'

type Action = { label: string; run: () => void }

type Props = { kind: 'info' | 'warning' | 'error'; words: string; action?: Action; other?: Action; children?: ReactNode }

/** Something the reader should know, in words, with what they can do about it. */
export function Notice({ kind, words, action, other, children }: Props) {
  return (
    <div className="notice" data-kind={kind} role={kind === 'info' ? 'status' : 'alert'}>
      <p>{words}</p>
      {children}
      {other && <Button variant="subtle" size="compact-md" onClick={other.run}>{other.label}</Button>}
      {action && <Button variant="default" size="compact-md" onClick={action.run}>{action.label}</Button>}
    </div>
  )
}
