import { Button, Group, Modal, PasswordInput, Stack, TextInput } from '@mantine/core'
import { type SubmitEvent, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { getMe, type Person, signIn } from '@/api'
import { wordsFor } from '@/shared/errors'

type Props = { person: Person; onSignedIn: (person: Person) => void }

/** The session ended in the middle of the work: it goes on from here, behind this dialog, with nothing lost. */
export default function SignInAgain({ person, onSignedIn }: Props) {
  const { t } = useTranslation()
  const [error, setError] = useState<unknown>(null)
  const [isPending, setPending] = useState(false)

  useEffect(() => {
    // They may have signed in in another tab.
    const look = () => void (document.visibilityState === 'visible' && getMe().then(onSignedIn, () => undefined))
    addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
    return () => {
      removeEventListener('focus', look)
      document.removeEventListener('visibilitychange', look)
    }
  }, [onSignedIn])

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const entered = new FormData(event.currentTarget)
    setPending(true)
    setError(null)
    try {
      onSignedIn(await signIn({ username: String(entered.get('username')), password: String(entered.get('password')) }))
    } catch (refusal) {
      setError(refusal)
    } finally {
      setPending(false)
    }
  }

  return (
    <Modal opened onClose={() => undefined} title={t('safe.session.title')} withCloseButton={false} closeOnClickOutside={false}
      closeOnEscape={false} lockScroll={false} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="md">
          <p>{t('safe.session.explain', { name: person.display_name || person.username })}</p>
          <TextInput name="username" label={t('signIn.username')} autoComplete="username" required withAsterisk={false}
            defaultValue={person.username} autoCapitalize="none" spellCheck={false} />
          <PasswordInput name="password" label={t('signIn.password')} autoComplete="current-password" required
            withAsterisk={false} data-autofocus
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword'), tabIndex: 0 }} />
          {error !== null && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
          <Group justify="space-between">
            <a href="/app/" target="_blank" rel="noreferrer">{t('safe.session.newTab')}</a>
            <Button type="submit" loading={isPending}>{t('signIn.do')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
