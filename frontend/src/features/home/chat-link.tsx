import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { listChatCampaigns } from '@/api'

import styles from './home.module.css'

/** The way to the model, where a campaign lets one talk to it. */
export function ChatLink() {
  const { t } = useTranslation()
  const { data } = useQuery({ queryKey: ['chat campaigns'], queryFn: listChatCampaigns, staleTime: 60_000 })
  if (!data || data.length === 0) return null
  return (
    <p className={styles.chat}>
      <Link href="/chat">{t('home.chat')}</Link> <span className="muted">{t('home.chatExplain')}</span>
    </p>
  )
}
