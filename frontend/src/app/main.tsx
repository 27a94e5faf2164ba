import './mantine'
import './styles.css'

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { dropOldDrafts } from '@/shared/drafts'
import { startLanguages } from '@/shared/i18n'

import { App } from './app'
import { showPreferences, themeFromPreferences } from './show-preferences'
import { theme } from './theme'

showPreferences()
startLanguages()
dropOldDrafts()

const colorScheme = themeFromPreferences()
const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 10_000 } } })

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {/* Variables and classes come from files: under the content security policy no <style> may be added here. */}
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorScheme} withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
