import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react'

import { serverNow } from '@/api'

import { dueOf } from './lease'

const LOOK_MS = 5000
const SIGNS_OF_LIFE = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'scroll'] as const

/** Keeps a lease alive while somebody works, and says when it runs out because nobody does. */
export function useLease(expiresAt: string | null, beat: () => Promise<void>) {
  const [isEnding, setEnding] = useState(false)
  const left = () => Date.parse(expiresAt ?? '') - serverNow()
  const [length, setLength] = useState(left)
  const [known, setKnown] = useState(expiresAt)
  const lastBeat = useRef(0)
  const lastSign = useRef(0)
  const isBeating = useRef(false)

  // Each renewal is as long as the campaign allows; a lease is renewed before it is measured again.
  if (known !== expiresAt) {
    setKnown(expiresAt)
    setLength(left())
    setEnding(false)
  }

  const renew = useCallback(async () => {
    if (isBeating.current) return
    isBeating.current = true
    lastBeat.current = performance.now()
    await beat()
    isBeating.current = false
  }, [beat])

  const look = useEffectEvent(() => {
    const isActive = lastSign.current > lastBeat.current
    const isVisible = document.visibilityState === 'visible'
    const due = expiresAt ? dueOf({ length, left: left(), sinceBeat: performance.now() - lastBeat.current, isActive, isVisible }) : null
    setEnding(due === 'warn')
    if (due === 'beat') void renew()
  })

  useEffect(() => {
    lastBeat.current = performance.now()
    const sign = () => {
      lastSign.current = performance.now()
    }
    const shown = () => {
      if (document.visibilityState === 'visible') sign()
      look()
    }
    const timer = setInterval(() => look(), LOOK_MS)
    SIGNS_OF_LIFE.forEach((name) => addEventListener(name, sign, { passive: true, capture: true }))
    document.addEventListener('visibilitychange', shown)
    return () => {
      clearInterval(timer)
      SIGNS_OF_LIFE.forEach((name) => removeEventListener(name, sign, { capture: true }))
      document.removeEventListener('visibilitychange', shown)
    }
  }, [])

  const keepWorking = () => {
    lastSign.current = performance.now()
    setEnding(false)
    void renew()
  }
  return { isEnding, left, keepWorking }
}
