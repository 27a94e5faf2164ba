import { Button, Group, Modal, PasswordInput, Stack, TextInput } from '@mantine/core'
import { type SubmitEvent, useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, getMe, type Person, signIn } from '@/api'
import { wordsFor } from '@/shared/errors'

type Props = {
  person: Person
  /** What the server said when it no longer took the page for theirs. */
  ending: ApiError
  onSignedIn: (person: Person) => void
}

/** The session ended in the middle of the work: it goes on from here, behind this dialog, with nothing lost. */
export default function SignInAgain({ person, ending, onSignedIn }: Props) {
  const { t } = useTranslation()
  const [error, setError] = useState<unknown>(ending.isSuspended ? ending : null)
  const [isPending, setPending] = useState(false)

  const look = useCallback(
    () => getMe().then(onSignedIn, (refusal: unknown) => setError((before: unknown) => heard(before, refusal))),
    [onSignedIn],
  )

  useEffect(() => {
    // They may have signed in in another tab, or been let in again.
    const lookWhenSeen = () => void (document.visibilityState === 'visible' && look())
    addEventListener('focus', lookWhenSeen)
    document.addEventListener('visibilitychange', lookWhenSeen)
    return () => {
      removeEventListener('focus', lookWhenSeen)
      document.removeEventListener('visibilitychange', lookWhenSeen)
    }
  }, [look])

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

  const fixed = { opened: true, onClose: () => undefined, withCloseButton: false, closeOnClickOutside: false,
    closeOnEscape: false, lockScroll: false, centered: true }
  if (isSuspension(error))
    return (
      <Modal {...fixed} title={t('safe.session.suspended')}>
        <Stack gap="md">
          <p role="alert">{wordsFor(error, t)}</p>
          <Group justify="flex-end">
            <Button onClick={() => void look()} data-autofocus>{t('safe.session.look')}</Button>
          </Group>
        </Stack>
      </Modal>
    )
  return (
    <Modal {...fixed} title={t('safe.session.title')}>
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

function isSuspension(error: unknown): boolean {
  return error instanceof ApiError && error.isSuspended
}

/** Whether they are suspended changes while they wait; all else that is said stays. */
function heard(before: unknown, refusal: unknown): unknown {
  if (isSuspension(refusal)) return refusal
  const isLetIn = refusal instanceof ApiError && refusal.isSignedOut
  return isLetIn && isSuspension(before) ? null : before
}
