import { queryOptions } from '@tanstack/react-query'

import { ApiError, changePreferences, getMe, type Person } from '@/api'
import { adoptPreferences } from '@/shared/preferences'

/** Who is signed in; null is nobody. */
export const ME = queryOptions({
  queryKey: ['me'],
  queryFn: ({ client }) => personOrNull(client.getQueryData<Person | null>(['me'])),
  staleTime: Infinity,
})

/** Before anything is shown to them, it is as they like it. */
export function arrive(person: Person): Person {
  adoptPreferences(person.id, person.preferences, changePreferences)
  return person
}

/** Whose work is on screen stays there when their session ends: they are asked to sign in over it. */
async function personOrNull(known: Person | null = null): Promise<Person | null> {
  try {
    return arrive(await getMe())
  } catch (error) {
    if (error instanceof ApiError && (error.isSignedOut || error.status === 401)) return known
    throw error
  }
}
