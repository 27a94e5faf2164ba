import { Button, Group } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'

type Props = {
  children: ReactNode
  /** The screen's address: another one gets another chance. */
  at?: string
}

/** A screen that breaks says so, and takes nothing else with it. */
export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override componentDidUpdate({ at }: Props) {
    if (at !== this.props.at && this.state.error !== null) this.setState({ error: null })
  }

  override render() {
    if (this.state.error === null) return this.props.children
    return <Broken error={this.state.error} onRetry={() => this.setState({ error: null })} />
  }
}

function Broken({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation()
  const { message, detail, requestId } = error as { message?: string; detail?: string; requestId?: string }
  const isUnloaded = isLoadFailure(message ?? '')
  const title = t(isUnloaded ? 'broken.notLoaded' : 'broken.title')
  useTitle(title)
  return (
    <div className="empty" role="alert">
      <h1>{title}</h1>
      <p>{detail ? wordsFor(error, t) : t(isUnloaded ? 'broken.notLoadedExplain' : 'broken.explain')}</p>
      {requestId && <p>{t('broken.request', { id: requestId })}</p>}
      <Group justify="center">
        {/* A part that failed to load fails again until the page is a new one. */}
        {!isUnloaded && <Button variant="default" onClick={onRetry}>{t('retry')}</Button>}
        <Button variant={isUnloaded ? 'filled' : 'default'} onClick={() => location.reload()}>{t('broken.reload')}</Button>
      </Group>
    </div>
  )
}

/** As Chromium, Firefox, Safari and Vite put it: the network is away, or a new build has replaced the file. */
export function isLoadFailure(message: string): boolean {
  return /dynamically imported module|importing a module script|preload CSS|module script failed/i.test(message)
}
