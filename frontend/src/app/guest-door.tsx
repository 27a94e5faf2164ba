import { Button, Stack } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { becomeGuest, listChatCampaigns, type Person } from '@/api'
import { useTitle } from '@/components/use-title'
import SignInScreen from '@/features/session/sign-in-screen'
import { wordsFor } from '@/shared/errors'

type Props = { campaign: number | null; onEntered: (person: Person) => void }

/** Before a chat: without an account where that is allowed, else by signing in. */
export default function GuestDoor({ campaign, onEntered }: Props) {
  const { t } = useTranslation()
  const [signsIn, setSignsIn] = useState(false)
  const { data, isPending } = useQuery({ queryKey: ['guest campaigns'], queryFn: listChatCampaigns })
  const enter = useMutation({ mutationFn: becomeGuest, onSuccess: onEntered })
  const open = data?.find(({ id }) => id === campaign) ?? data?.[0]
  useTitle(t('chat.screen'))

  if (isPending) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  if (signsIn || !open) return <SignInScreen onSignedIn={onEntered} />
  return (
    <main className="sign-in">
      <Stack gap="md">
        <h1>{t('chat.door.title', { name: open.name })}</h1>
        <p className="muted">{open.description}</p>
        <p>{t('chat.door.explain')}</p>
        {enter.error && <p role="alert" className="error-text">{wordsFor(enter.error, t)}</p>}
        <Button size="md" autoFocus loading={enter.isPending} onClick={() => enter.mutate(open.id)}>{t('chat.door.enter')}</Button>
        <Button size="md" variant="default" onClick={() => setSignsIn(true)}>{t('chat.door.signIn')}</Button>
      </Stack>
    </main>
  )
}
