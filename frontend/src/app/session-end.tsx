import { type Query, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useCallback, useEffect, useState } from 'react'

import { actAs, type ApiError, onSignedOut, type Person } from '@/api'
import { outboxOf } from '@/components/outbox'
import { whenIdle } from '@/shared/when-idle'

import { arrive, ME } from './me'

const loadDialog = () => import('@/features/session/sign-in-again')
const SignInAgain = lazy(loadDialog)

/** Everything that is sent from here is this person's; when the server says that they are not signed in, asks them to. */
export function SessionEnd({ person }: { person: Person }) {
  const queries = useQueryClient()
  const [ending, setEnding] = useState<ApiError | null>(null)

  useEffect(() => {
    actAs(person.id)
    return () => actAs(null)
  }, [person.id])

  useEffect(() => onSignedOut(setEnding), [])
  useEffect(() => whenIdle(loadDialog), [])

  const goOn = useCallback(
    (signedIn: Person) => {
      setEnding(null)
      const others = { predicate: ({ queryKey }: Query) => queryKey[0] !== 'me' }
      if (signedIn.id === person.id) {
        outboxOf(person.id).hurry()
        return void queries.invalidateQueries(others)
      }
      // Somebody else gets a page of their own; what the first one did waits for them.
      queries.removeQueries(others)
      queries.setQueryData(ME.queryKey, arrive(signedIn))
    },
    [person.id, queries],
  )

  if (!ending) return null
  return <Suspense><SignInAgain person={person} ending={ending} onSignedIn={goOn} /></Suspense>
}
