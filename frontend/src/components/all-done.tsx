import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

/** Nothing waits: why, and where to go. */
export function AllDone({ title, explain }: { title: string; explain: string }) {
  const { t } = useTranslation()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div className="empty">
      <h1 tabIndex={-1} ref={heading}>{title}</h1>
      <p>{explain}</p>
      <Link href="/">{t('toHome')}</Link>
    </div>
  )
}
