import { Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { type SubmitEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { type Person, signIn } from '@/api'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'

export default function SignInScreen({ onSignedIn }: { onSignedIn: (person: Person) => void }) {
  const { t } = useTranslation()
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)
  const password = useRef<HTMLInputElement>(null)
  useTitle(t('signIn.title'))

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const entered = new FormData(event.currentTarget)
    setPending(true)
    setError(null)
    try {
      onSignedIn(await signIn({ username: String(entered.get('username')), password: String(entered.get('password')) }))
    } catch (refusal) {
      setError(refusal)
      password.current?.select()
    } finally {
      setPending(false)
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="md">
          <h1>{t('signIn.title')}</h1>
          <p className="muted">{t('signIn.explain')}</p>
          <TextInput name="username" label={t('signIn.username')} autoComplete="username" required autoFocus
            withAsterisk={false} size="md" autoCapitalize="none" spellCheck={false} />
          <PasswordInput name="password" label={t('signIn.password')} autoComplete="current-password" required
            withAsterisk={false} size="md" ref={password}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword'), tabIndex: 0 }} />
          {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
          <Button type="submit" size="md" loading={isPending}>{t('signIn.do')}</Button>
        </Stack>
      </form>
    </main>
  )
}
