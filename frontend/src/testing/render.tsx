import { MantineProvider } from '@mantine/core'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'

/** Show something as the app does; again with ``rerender``. */
export function show(element: ReactNode) {
  return render(element, { wrapper: ({ children }) => <MantineProvider env="test">{children}</MantineProvider> })
}
