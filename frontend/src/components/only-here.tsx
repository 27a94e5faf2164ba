import { createContext, Fragment, type ReactNode, useContext } from 'react'
import { useTranslation } from 'react-i18next'

import { useTabLock } from '@/shared/use-tab-lock'

import { Notice } from './notice'

const Elsewhere = createContext(false)

/** Another tab has it: what is kept here must not be written over what is kept there. */
export const useIsElsewhere = (): boolean => useContext(Elsewhere)

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
      <div inert={isElsewhere} data-elsewhere={isElsewhere || undefined}>
        <Elsewhere value={isElsewhere}><Fragment key={turn}>{children}</Fragment></Elsewhere>
      </div>
    </>
  )
}
