import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'

import {
  answerAgain,
  ApiError,
  beginChat,
  type ChatMessage,
  getChat,
  type NewMessages,
  sendMessage,
  type SideBySide,
  stopAnswer,
  type WholeChat,
} from '@/api'
import { newKey } from '@/shared/unique'

import { newsOf } from './streaming'
import { type Turns, turnsTo, withMessages } from './tree'

/** An answer on its way. */
export type Live = { text: string; waiting: number | null }

const SHOW_EVERY_MS = 80
const LOOK_AGAIN_MS = 1_500

/** One chat: what is stored of it, what is being written, and what can be done. */
export function useChat(campaign: number, id: number | null, onBegun: (id: number) => void) {
  const queries = useQueryClient()
  const query = useQuery({
    queryKey: ['chat', id],
    queryFn: () => getChat(id!),
    enabled: id !== null,
    staleTime: Infinity,
    gcTime: 0,
  })
  const [live, setLive] = useState<Readonly<Record<number, Live>>>({})
  const [turns, setTurns] = useState<Turns>({})
  const [error, setError] = useState<unknown>(null)
  const [isSending, setSending] = useState(false)
  const hangUps = useRef(new Map<number, AbortController>())

  const change = useCallback(
    (chat: number, messages: readonly ChatMessage[], pairs: readonly SideBySide[] = []) => {
      queries.setQueryData<WholeChat>(['chat', chat], (before) =>
        before && {
          ...before,
          messages: withMessages(before.messages, messages),
          side_by_sides: [...before.side_by_sides.filter((pair) => !pairs.some((one) => one.id === pair.id)), ...pairs],
        },
      )
    },
    [queries],
  )

  /** Another window writes it: look until it is there. */
  const look = useCallback(
    async (chat: number) => {
      await new Promise((resume) => setTimeout(resume, LOOK_AGAIN_MS))
      await queries.refetchQueries({ queryKey: ['chat', chat] })
    },
    [queries],
  )

  const listen = useCallback(
    async (chat: number, answer: ChatMessage) => {
      if (hangUps.current.has(answer.id)) return
      const hangUp = new AbortController()
      hangUps.current.set(answer.id, hangUp)
      let text = answer.text
      let shownAt = 0
      let status: ChatMessage['status'] = 'STOPPED'
      const show = (waiting: number | null) => setLive((before) => ({ ...before, [answer.id]: { text, waiting } }))
      show(null)
      try {
        for await (const news of newsOf(answer.id, hangUp.signal)) {
          if ('waiting' in news) show(news.waiting)
          if ('status' in news) status = news.status
          if ('text' in news) {
            text += news.text
            // Reading Markdown anew for each token would keep the page from anything else.
            if (performance.now() - shownAt > SHOW_EVERY_MS) {
              shownAt = performance.now()
              show(null)
            }
          }
        }
      } catch (trouble) {
        if (hangUp.signal.aborted) return
        if (trouble instanceof ApiError && trouble.code === 'answer_taken') return void look(chat)
        status = text ? 'STOPPED' : 'FAILED'
        setError(trouble)
      } finally {
        hangUps.current.delete(answer.id)
        setLive((before) => without(before, answer.id))
      }
      change(chat, [{ ...answer, text: text.trim(), status }])
      void queries.invalidateQueries({ queryKey: ['chats', campaign] })
    },
    [change, look, queries, campaign],
  )

  const messages = query.data?.messages
  // What is unfinished when the page comes is asked for, or waited for.
  useEffect(() => {
    if (id === null) return
    for (const message of messages ?? []) if (message.status === 'WRITING') void listen(id, message)
  }, [id, messages, listen])

  useEffect(() => {
    const all = hangUps.current
    return () => all.forEach((hangUp) => hangUp.abort())
  }, [id])

  function take(chat: number, { messages: fresh, side_by_side }: NewMessages) {
    change(chat, fresh, side_by_side ? [side_by_side] : [])
    setTurns((before) => ({ ...before, ...turnsTo(withMessages(messages ?? [], fresh), fresh[0]!.id), ...(fresh[1] && { [fresh[0]!.id]: fresh[1].id }) }))
  }

  async function trying<T>(work: () => Promise<T>): Promise<T | null> {
    setError(null)
    setSending(true)
    try {
      return await work()
    } catch (trouble) {
      setError(trouble)
      return null
    } finally {
      setSending(false)
    }
  }

  /** Returns whether it was taken. */
  async function send(text: string, place: { follows?: number; edits?: number }): Promise<boolean> {
    const key = newKey()
    const done = await trying(async () => {
      const chat = id ?? (await beginChat(campaign)).id
      const sent = await sendMessage(chat, { idempotency_key: key, text, ...place })
      if (id === null) {
        queries.setQueryData<WholeChat>(['chat', chat], {
          id: chat, campaign, title: text, created_at: '', updated_at: '', messages: sent.messages,
          side_by_sides: sent.side_by_side ? [sent.side_by_side] : [],
        })
        onBegun(chat)
      } else {
        take(chat, sent)
      }
      void queries.invalidateQueries({ queryKey: ['chats', campaign] })
      return true
    })
    return done ?? false
  }

  async function again(answer: number): Promise<void> {
    const fresh = await trying(() => answerAgain(answer))
    if (fresh && id !== null) {
      change(id, fresh.messages)
      setTurns((before) => ({ ...before, ...turnsTo(withMessages(messages ?? [], fresh.messages), fresh.messages[0]!.id) }))
    }
  }

  async function stop(): Promise<void> {
    const writing = [...hangUps.current.keys()]
    const stopped = await Promise.all(writing.map((answer) => stopAnswer(answer).catch(() => null)))
    writing.forEach((answer) => hangUps.current.get(answer)?.abort())
    setLive({})
    writing.forEach((answer) => hangUps.current.delete(answer))
    // The server may not have kept the last words yet; they are on screen.
    const seen = stopped.filter((answer) => answer !== null).map((answer) => ({ ...answer, text: live[answer.id]?.text.trim() || answer.text }))
    if (id !== null) change(id, seen)
  }

  return {
    query,
    messages: messages ?? [],
    pairs: query.data?.side_by_sides ?? [],
    live,
    turns,
    choose: (goal: number) => setTurns((before) => ({ ...before, ...turnsTo(messages ?? [], goal) })),
    change: (changed: ChatMessage[], pairs: SideBySide[] = []) => id !== null && change(id, changed, pairs),
    send,
    again,
    stop,
    isWriting: Object.keys(live).length > 0,
    isSending,
    error,
    forgetError: () => setError(null),
  }
}

function without(live: Readonly<Record<number, Live>>, id: number): Record<number, Live> {
  return Object.fromEntries(Object.entries(live).filter(([key]) => Number(key) !== id))
}

export type ChatState = ReturnType<typeof useChat>
