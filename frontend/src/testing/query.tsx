import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Router } from 'wouter'
import { memoryLocation } from 'wouter/memory-location'

import { show } from './render'

/** Show a screen that asks the server, at an address of its own. */
export function showAt(path: string, screen: ReactNode, known: Record<string, unknown> = {}) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  for (const [name, data] of Object.entries(known)) queries.setQueryData([name], data)
  const location = memoryLocation({ path, record: true })
  const view = show(
    <QueryClientProvider client={queries}>
      <Router hook={location.hook} searchHook={location.searchHook}>{screen}</Router>
    </QueryClientProvider>,
  )
  return { ...view, queries, location }
}
