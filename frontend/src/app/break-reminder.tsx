import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { Notice } from '@/components/notice'
import { type ActiveTime, touch } from '@/shared/active-time'
import { usePreferences } from '@/shared/preferences'

const SIGNS_OF_WORK = ['keydown', 'pointerdown', 'wheel', 'scroll'] as const
const LATER_MS = 10 * 60_000

/** After a while of work, a word about a break: above the work, never over it. */
export function BreakReminder() {
  const { t } = useTranslation()
  const { break_minutes } = usePreferences()
  const active = useRef<ActiveTime>({ worked: 0, last: 0 })
  const [isDue, setDue] = useState(false)

  const work = useEffectEvent(() => {
    active.current = touch(active.current, performance.now())
    setDue(break_minutes > 0 && active.current.worked >= break_minutes * 60_000)
  })

  useEffect(() => {
    active.current.last = performance.now()
    const listener = () => work()
    SIGNS_OF_WORK.forEach((sign) => addEventListener(sign, listener, { passive: true, capture: true }))
    return () => SIGNS_OF_WORK.forEach((sign) => removeEventListener(sign, listener, { capture: true }))
  }, [])

  function begin(worked: number) {
    active.current = { worked, last: performance.now() }
    setDue(false)
  }

  if (!isDue) return null
  return (
    <Notice kind="info" words={t('break.due', { count: break_minutes })}
      other={{ label: t('break.later'), run: () => begin(break_minutes * 60_000 - LATER_MS) }}
      action={{ label: t('break.take'), run: () => begin(0) }} />
  )
}
