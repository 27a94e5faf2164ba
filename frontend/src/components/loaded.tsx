import { type UseQueryResult, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError } from '@/api'
import { wordsFor } from '@/shared/errors'

import styles from './loaded.module.css'
import { Notice } from './notice'

type Props<Data> = {
  query: Pick<UseQueryResult<Data>, 'data' | 'error' | 'refetch'>
  isEmpty?: (data: Data) => boolean
  empty?: ReactNode
  children: (data: Data) => ReactNode
}

/** What was asked for, or why it is not there: under way, nothing, nobody answers, the session ended, not allowed. */
export function Loaded<Data>({ query, isEmpty, empty, children }: Props<Data>) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data, error, refetch } = query
  const isSignedOut = error instanceof ApiError && error.isSignedOut
  useEffect(() => {
    if (isSignedOut) void queries.invalidateQueries({ queryKey: ['me'] })
  }, [isSignedOut, queries])

  const retry = { label: t('retry'), run: () => void refetch() }
  if (data === undefined && error) {
    // Nothing that is asked again would be answered differently.
    const isClosed = error instanceof ApiError && [403, 404].includes(error.status) && !isSignedOut
    return <Notice kind={isClosed ? 'warning' : 'error'} words={isSignedOut ? t('states.signedOut') : wordsFor(error, t)} {...(isClosed ? {} : { action: retry })} />
  }
  if (data === undefined) return <Skeleton />
  return (
    <>
      {error && <Notice kind="warning" words={t('states.old')} action={retry} />}
      {isEmpty?.(data) ? empty : children(data)}
    </>
  )
}

/** Nothing for a moment, then the shape of what comes. */
function Skeleton() {
  const { t } = useTranslation()
  return (
    <div className={styles.skeleton} role="status" aria-busy="true">
      <span className="visually-hidden">{t('loading')}</span>
      <i /><i /><i />
    </div>
  )
}
