import { queryOptions } from '@tanstack/react-query'

import { ApiError, getMe, type Person } from '@/api'

/** Who is signed in; null is nobody. */
export const ME = queryOptions({ queryKey: ['me'], queryFn: ({ client }) => personOrNull(client.getQueryData(['me'])), staleTime: Infinity })

/** Whose work is on screen stays there when their session ends: they are asked to sign in over it. */
async function personOrNull(known: Person | null = null): Promise<Person | null> {
  try {
    return await getMe()
  } catch (error) {
    if (error instanceof ApiError && (error.isSignedOut || error.status === 401)) return known
    throw error
  }
}
