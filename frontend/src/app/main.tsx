import './mantine'
import './styles.css'

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { dropOldDrafts } from '@/shared/drafts'
import { startLanguages } from '@/shared/i18n'
import { readPreferences } from '@/shared/preferences'

import { App } from './app'
import { keepFocusInSight } from './focus-in-sight'
import { keepPage } from './keep-page'
import { ME } from './me'
import { showPreferences, themeFromPreferences } from './show-preferences'
import { theme } from './theme'

const root = document.getElementById('root')!
const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 10_000 } } })

showPreferences()
keepFocusInSight()
dropOldDrafts()
keepPage()
// The person comes while the words do.
void queries.prefetchQuery(ME)
startLanguages(readPreferences().language ?? undefined).then(show, showFailure)

function show(): void {
  createRoot(root).render(
    <StrictMode>
      {/* Variables and classes come from files: under the content security policy no <style> may be added here. */}
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={themeFromPreferences()}
        withCssVariables={false} withGlobalClasses={false}>
        <QueryClientProvider client={queries}>
          <App />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}

/** The one text that is in no catalog: the catalogs are what did not come. */
function showFailure(): void {
  root.className = 'empty'
  root.textContent = 'Rankwright could not be loaded. Reload the page. / 页面未能加载，请重新加载。'
}
