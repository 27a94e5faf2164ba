import { Fragment, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { useTabLock } from '@/shared/use-tab-lock'

import { Notice } from './notice'

/** In one tab at a time: the second one can only read, and may take over; it then goes on from what was kept. */
export function OnlyHere({ name, children }: { name: string; children: ReactNode }) {
  const { t } = useTranslation()
  const { isElsewhere, turn, takeOver } = useTabLock(`rankwright.${name}`)
  return (
    <>
      {isElsewhere && (
        <>
          <h1 className="visually-hidden">{t('safe.tabs.title')}</h1>
          <Notice kind="warning" words={t('safe.tabs.elsewhere')} action={{ label: t('safe.tabs.here'), run: takeOver }} />
        </>
      )}
      <div inert={isElsewhere} data-elsewhere={isElsewhere || undefined}><Fragment key={turn}>{children}</Fragment></div>
    </>
  )
}
