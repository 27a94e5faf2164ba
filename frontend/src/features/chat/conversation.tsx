import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'

import type { ChatMessage } from '@/api'
import { announce } from '@/shared/announce'

import styles from './chat.module.css'
import { Pair } from './pair'
import { Question } from './question'
import { Reply } from './reply'
import { wayThrough } from './tree'
import type { ChatState } from './use-chat'

const NEAR_THE_END = 120

/** The messages on the way that was chosen, each with what can be done with it. */
export function Conversation({ chat }: { chat: ChatState }) {
  const { t } = useTranslation()
  const { messages, pairs, live, turns } = chat
  const way = wayThrough(messages, turns)
  const end = useRef<HTMLDivElement>(null)
  const isBusy = chat.isWriting || chat.isSending
  const open = pairs.filter(({ verdict }) => verdict === null)
  const words = Object.values(live).reduce((sum, { text }) => sum + text.length, 0)

  // Follow what is written, unless the reader has scrolled up to read.
  useEffect(() => {
    const left = document.documentElement.scrollHeight - scrollY - innerHeight
    if (left < NEAR_THE_END + innerHeight / 3) end.current?.scrollIntoView({ block: 'end' })
  }, [words, way.length])

  const wasWriting = useRef(false)
  useEffect(() => {
    // A screen reader is told once, not with every word.
    if (wasWriting.current && !chat.isWriting) announce(t('chat.written'))
    wasWriting.current = chat.isWriting
  }, [chat.isWriting, t])

  const find = (id: number) => messages.find((message) => message.id === id)
  return (
    <div className={styles.messages}>
      {way.map(({ message, siblings }) => {
        if (message.role === 'user') {
          return (
            <Question key={message.id} message={message} siblings={siblings} isBusy={isBusy} onChoose={chat.choose}
              onEdit={(text) => chat.send(text, { edits: message.id })} />
          )
        }
        const pair = open.find(({ left, right }) => left === message.id || right === message.id)
        const sides = pair && [find(pair.left), find(pair.right)]
        if (pair && sides?.[0] && sides[1]) {
          return (
            <Pair key={`pair ${pair.id}`} pair={pair} left={sides[0]} right={sides[1]} live={live} onDecided={(decided, chosen) => {
              chat.change([], [decided])
              chat.choose(chosen)
            }} />
          )
        }
        return (
          <Reply key={message.id} answer={message} siblings={siblings} live={live[message.id]} isBusy={isBusy} onChoose={chat.choose}
            onAgain={() => void chat.again(message.id)} onChange={(answer: ChatMessage) => chat.change([answer])} />
        )
      })}
      <div ref={end} className={styles.end} />
    </div>
  )
}
