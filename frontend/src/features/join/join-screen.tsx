import { Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SubmitEvent, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'

import { acceptInvitation, findInvitation, type Invitation, type Person, signOut } from '@/api'
import { useTitle } from '@/components/use-title'
import { dateOf } from '@/shared/dates'
import { wordsFor } from '@/shared/errors'

import style from './join.module.css'

type Props = { person: Person | null; onJoined: (person: Person) => void }

/** Whoever follows an invitation's link makes their account here. */
export default function JoinScreen({ person, onJoined }: Props) {
  const { t, i18n } = useTranslation()
  const token = useSecret()
  const invitation = useQuery({
    // The rules come in the reader's language.
    queryKey: ['invitation', token, i18n.language],
    queryFn: () => findInvitation(token),
    retry: false,
    enabled: person === null,
  })
  useTitle(t('join.title'))

  if (person) return <SignedIn person={person} />
  if (invitation.isPending) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (invitation.error) return <Closed words={wordsFor(invitation.error, t)} />
  return <JoinForm token={token} invitation={invitation.data} onJoined={onJoined} />
}

function JoinForm({ token, invitation, onJoined }: { token: string; invitation: Invitation; onJoined: Props['onJoined'] }) {
  const { t, i18n } = useTranslation()
  const [, go] = useLocation()
  const join = useMutation({
    mutationFn: acceptInvitation,
    onSuccess: (person) => {
      go('/', { replace: true })
      onJoined(person)
    },
  })

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const entered = new FormData(event.currentTarget)
    const text = (name: string) => String(entered.get(name))
    join.mutate({ token, username: text('username'), name: text('name'), password: text('password') })
  }

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <Stack gap="md">
          <h1>{t('join.title')}</h1>
          <p className="muted">
            {t('join.explain', { by: invitation.invited_by, role: t(`join.roles.${invitation.role ?? 'labeler'}`),
              until: dateOf(invitation.expires_at, i18n.language) })}
          </p>
          <TextInput name="name" label={t('join.name')} description={t('join.nameHint')} autoComplete="name"
            defaultValue={invitation.name} maxLength={150} size="md" autoFocus />
          <TextInput name="username" label={t('signIn.username')} description={t('join.usernameHint')} required
            withAsterisk={false} autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={150} size="md" />
          <PasswordInput name="password" label={t('signIn.password')} required withAsterisk={false} size="md"
            autoComplete="new-password" aria-describedby="password-rules"
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword'), tabIndex: 0 }} />
          <ul id="password-rules" className={`muted ${style.rules}`}>
            {invitation.password_rules.map((rule) => <li key={rule}>{rule}</li>)}
          </ul>
          {join.error && <p role="alert" className="error-text">{wordsFor(join.error, t)}</p>}
          <Button type="submit" size="md" loading={join.isPending}>{t('join.do')}</Button>
        </Stack>
      </form>
    </main>
  )
}

/** Used, expired, taken back, or cut off: the server says which. */
function Closed({ words }: { words: string }) {
  const { t } = useTranslation()
  return (
    <main className="sign-in">
      <Stack gap="md">
        <h1>{t('join.closed')}</h1>
        <p role="alert">{words}</p>
        <Link href="/" replace>{t('join.toSignIn')}</Link>
      </Stack>
    </main>
  )
}

function SignedIn({ person }: { person: Person }) {
  const { t } = useTranslation()
  const leave = useMutation({ mutationFn: signOut, onSuccess: () => location.reload() })
  return (
    <div className="empty">
      <h1>{t('join.title')}</h1>
      <p>{t('join.signedIn', { name: person.display_name || person.username })}</p>
      <Button loading={leave.isPending} onClick={() => leave.mutate()}>{t('join.signOut')}</Button>
    </div>
  )
}

/** Behind the # of the address, which browsers send to no server. */
function useSecret(): string {
  return useSyncExternalStore(
    (onChange) => {
      addEventListener('hashchange', onChange)
      return () => removeEventListener('hashchange', onChange)
    },
    () => location.hash.slice(1),
  )
}
