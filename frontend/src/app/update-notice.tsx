import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { Notice } from '@/components/notice'
import { isNewVersionThere } from '@/shared/new-version'

const LOOK_EVERY_MS = 5 * 60_000

/** Says that a new build was deployed. When to reload is for whoever works here to say. */
export function UpdateNotice() {
  const { t } = useTranslation()
  const [isThere, setThere] = useState(false)
  const [isHidden, setHidden] = useState(false)

  useEffect(() => {
    const running = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute('src')
    if (!running || isThere) return
    let looked = performance.now()
    const look = async () => {
      if (performance.now() - looked < LOOK_EVERY_MS) return
      looked = performance.now()
      setThere(await isNewVersionThere(running, '/app/'))
    }
    const listener = () => void look()
    addEventListener('focus', listener)
    return () => removeEventListener('focus', listener)
  }, [isThere])

  if (!isThere || isHidden) return null
  return (
    <Notice kind="info" words={t('update.ready')} other={{ label: t('update.later'), run: () => setHidden(true) }}
      action={{ label: t('update.reload'), run: () => location.reload() }} />
  )
}
