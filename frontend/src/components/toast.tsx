import { type ReactNode, useEffect, useState } from 'react'

type Props = { words: string; seconds: number; onGone: () => void; children?: ReactNode }

/** Words at the foot of the window for a while; longer while somebody points at them or has the focus there. */
export function Toast({ words, seconds, onGone, children }: Props) {
  const [isHeld, setHeld] = useState(false)
  useEffect(() => {
    if (isHeld) return
    const timer = setTimeout(onGone, seconds * 1000)
    return () => clearTimeout(timer)
  }, [isHeld, seconds, onGone])
  return (
    <div className="toast" role="status" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}>
      <p>{words}</p>
      {children}
    </div>
  )
}
