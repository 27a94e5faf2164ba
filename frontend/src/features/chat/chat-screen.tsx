import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Redirect, useLocation } from 'wouter'

import { type ChatCampaign, listChatCampaigns } from '@/api'
import { CannotLoad } from '@/components/cannot-load'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { wordsFor } from '@/shared/errors'
import { useCommands } from '@/shared/use-commands'

import { ChatList } from './chat-list'
import styles from './chat.module.css'
import { Composer } from './composer'
import { Conversation } from './conversation'
import { TrainingChoice } from './training-choice'
import { wayThrough } from './tree'
import { useChat } from './use-chat'

type Props = { campaign: number | null; chat: number | null }

/** Talking to the model of a campaign. */
export default function ChatScreen({ campaign, chat }: Props) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({ queryKey: ['chat campaigns'], queryFn: listChatCampaigns })
  useTitle(t('chat.screen'))

  if (error && !data) return <CannotLoad error={error} onRetry={() => void refetch()} />
  if (!data) return <p className="waiting" aria-busy="true">{t('loading')}</p>
  const found = data.find(({ id }) => id === campaign)
  if (found) return <Talk key={`${found.id} ${chat}`} campaign={found} id={chat} />
  if (campaign === null && data[0]) return <Redirect to={`/chat/${data[0].id}`} replace />
  return <div className="empty"><h1>{t('chat.none')}</h1></div>
}

function Talk({ campaign, id }: { campaign: ChatCampaign; id: number | null }) {
  const { t } = useTranslation()
  const [, go] = useLocation()
  const field = useRef<HTMLTextAreaElement>(null)
  const chat = useChat(campaign.id, id, (begun) => go(`/chat/${campaign.id}/${begun}`, { replace: true }))
  const last = wayThrough(chat.messages, chat.turns).at(-1)?.message

  function begin() {
    go(`/chat/${campaign.id}`)
    field.current?.focus()
  }

  useCommands(['chat'], { stopAnswer: () => chat.isWriting && (void chat.stop(), true), newChat: begin })

  if (chat.query.error) {
    return <CannotLoad error={chat.query.error} onRetry={() => void chat.query.refetch()} />
  }
  return (
    <div className={styles.screen}>
      <ChatList campaign={campaign.id} open={id} onNew={begin} onDeleted={() => go(`/chat/${campaign.id}`)} />
      <div className={styles.talk}>
        <header className={styles.head}>
          <h1>{campaign.name}</h1>
          {campaign.allows_training !== null && <TrainingChoice campaign={campaign} />}
        </header>
        {id === null && (
          <div className={styles.welcome}>
            <p className={styles.greeting}>{t('chat.greeting')}</p>
            <p className="muted">{t('chat.mayErr')}</p>
          </div>
        )}
        {id !== null && !chat.query.data && <p className="waiting" aria-busy="true">{t('loading')}</p>}
        <Conversation chat={chat} />
        <div className={styles.foot}>
          {campaign.allows_training === null && <TrainingChoice campaign={campaign} />}
          {chat.error !== null && (
            <Notice kind="error" words={wordsFor(chat.error, t)} action={{ label: t('close'), run: chat.forgetError }} />
          )}
          <Composer key={`${id}`} name={`${campaign.id}.${id ?? 'new'}`} field={field} isWriting={chat.isWriting} isSending={chat.isSending}
            onStop={() => void chat.stop()} onSend={(text) => chat.send(text, last ? { follows: last.id } : {})} />
          <p className={styles.small}>{t('chat.mayErrShort')} <Link href="/my-data">{t('ownData.title')}</Link></p>
        </div>
      </div>
    </div>
  )
}
