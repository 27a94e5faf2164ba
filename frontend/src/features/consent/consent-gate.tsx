import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { type Consent, getConsent, onConsentNeeded } from '@/api'
import { Notice } from '@/components/notice'
import { wordsFor } from '@/shared/errors'

// It brings what shows Markdown: only who is asked waits for that.
const ConsentScreen = lazy(() => import('./consent-screen'))

type Props = { campaign: number; name: string; children: ReactNode }

/** The work, once what it asks people to agree to is agreed to. */
export function ConsentGate({ campaign, name, children }: Props) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const queryKey = ['consent', campaign]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => getConsent(campaign),
    // The server says when there is a newer text: nobody is interrupted before.
    staleTime: Infinity,
  })
  useEffect(() => onConsentNeeded(() => void queries.invalidateQueries({ queryKey: ['consent'] })), [queries])

  if (data && !data.is_needed) return children
  if (data?.text) {
    return (
      <ConsentScreen campaign={campaign} name={name} text={data.text}
        agreedVersion={data.agreed_version} onAnswer={(consent: Consent) => queries.setQueryData(queryKey, consent)} />
    )
  }
  if (error) return <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void refetch() }} />
  return <p className="waiting" aria-busy="true">{t('loading')}</p>
}
