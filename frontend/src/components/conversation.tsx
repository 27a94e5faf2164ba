import { useTranslation } from 'react-i18next'

import { Markdown } from './markdown'

type Props = {
  messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[]
  language?: string | undefined
}

/** Who said what, in order. */
export function Conversation({ messages, language }: Props) {
  const { t } = useTranslation()
  return (
    <ol className="conversation">
      {messages.map(({ role, content }, place) => (
        // Messages have no ids and never change place.
        <li key={place} data-role={role}>
          <span className="speaker">{t(`role.${role}`)}</span>
          <Markdown text={content} language={language} />
        </li>
      ))}
    </ol>
  )
}
