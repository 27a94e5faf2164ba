import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { type Chat, deleteChat, listChats, renameChat } from '@/api'
import { wordsFor } from '@/shared/errors'

import styles from './chat.module.css'

type Props = { campaign: number; open: number | null; onNew: () => void; onDeleted: () => void }

/** Earlier chats, the latest first. */
export function ChatList({ campaign, open, onNew, onDeleted }: Props) {
  const { t } = useTranslation()
  const { data } = useQuery({ queryKey: ['chats', campaign], queryFn: () => listChats(campaign) })
  return (
    <nav className={styles.list} aria-label={t('chat.history')}>
      <button type="button" className={styles.new} onClick={onNew} aria-keyshortcuts="Alt+N">{t('chat.new')}</button>
      <ul>
        {data?.map((chat) => (
          <ChatEntry key={chat.id} chat={chat} isOpen={chat.id === open} onDeleted={() => chat.id === open && onDeleted()} />
        ))}
      </ul>
    </nav>
  )
}

function ChatEntry({ chat, isOpen, onDeleted }: { chat: Chat; isOpen: boolean; onDeleted: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [isNaming, setNaming] = useState(false)
  const [isAsking, setAsking] = useState(false)
  const changed = () => queries.invalidateQueries({ queryKey: ['chats', chat.campaign] })
  const rename = useMutation({ mutationFn: (title: string) => renameChat(chat.id, title), onSuccess: () => {
    setNaming(false)
    void changed()
  } })
  const remove = useMutation({ mutationFn: () => deleteChat(chat.id), onSuccess: () => {
    void changed()
    onDeleted()
  } })
  const error = rename.error ?? remove.error

  if (isNaming) {
    return (
      <li>
        <form onSubmit={(event) => {
          event.preventDefault()
          const title = String(new FormData(event.currentTarget).get('title')).trim()
          if (title) rename.mutate(title)
        }}>
          <input name="title" className={styles.name} defaultValue={chat.title} maxLength={200} aria-label={t('chat.title')} autoFocus
            onKeyDown={(event) => event.key === 'Escape' && setNaming(false)} />
        </form>
        {error && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
      </li>
    )
  }
  return (
    <li data-open={isOpen}>
      <Link href={`/chat/${chat.campaign}/${chat.id}`} aria-current={isOpen ? 'page' : undefined} dir="auto" id={`chat-${chat.id}`}>{chat.title}</Link>
      {isOpen && (
        <span className={styles.entryTools}>
          <button type="button" className={styles.tool} onClick={() => setNaming(true)}>{t('chat.rename')}</button>
          {isAsking ? (
            <button type="button" className={styles.tool} data-bad onClick={() => remove.mutate()} onBlur={() => setAsking(false)} autoFocus>
              {t('chat.deleteForGood')}
            </button>
          ) : (
            <button type="button" className={styles.tool} onClick={() => setAsking(true)}>{t('chat.delete')}</button>
          )}
        </span>
      )}
      {error && <p role="alert" className="error-text">{wordsFor(error, t)}</p>}
    </li>
  )
}
