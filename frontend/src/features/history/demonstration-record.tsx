import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { type Feedback, getOwnDemonstration, type OwnDemonstration, readFeedback } from '@/api'
import { Conversation } from '@/components/conversation'
import { Loaded } from '@/components/loaded'
import { useTitle } from '@/components/use-title'
import { momentOf } from '@/shared/moments'

import styles from './history.module.css'
import { Record } from './record'

/** A demonstration of mine, with what reviewers said of it. */
export default function DemonstrationRecord({ id }: { id: number }) {
  const { t } = useTranslation()
  const query = useQuery({ queryKey: ['history', 'demonstration', id], queryFn: () => getOwnDemonstration(id), refetchOnMount: 'always' })
  useTitle(t('history.demonstration'), query.data?.campaign_name ?? '')
  useRead(query.data?.feedback)
  return <div className={styles.page}><Loaded query={query}>{(written) => <Shown written={written} />}</Loaded></div>
}

function Shown({ written }: { written: OwnDemonstration }) {
  const { t } = useTranslation()
  const { feedback, standing, campaign, prompt, turns } = written
  return (
    <Record title={t('history.demonstration')} campaign={written.campaign_name} standing={standing} submittedAt={written.submitted_at!}
      madeUnder={written.written_under} prompt={prompt}
      actions={standing === 'RETURNED' && <p><Link href={`/demonstrate/${campaign}`} className={styles.go}>{t('history.revise')}</Link></p>}>
      {feedback.length > 0 && (
        <section className={styles.said} aria-labelledby="said">
          <h2 id="said">{t('history.feedback')}</h2>
          <ul>{feedback.map((said) => <Said key={said.id} said={said} />)}</ul>
        </section>
      )}
      <section aria-labelledby="turns">
        <h2 id="turns">{t('history.yours')}</h2>
        <Conversation messages={turns} language={prompt.language} />
      </section>
    </Record>
  )
}

function Said({ said }: { said: Feedback }) {
  const { t, i18n } = useTranslation()
  return (
    <li>
      <p>
        <strong>{t(`history.standing.${said.verdict}`)}</strong>
        <span className="muted"> {momentOf(said.reviewed_at, i18n.language)}</span>
      </p>
      {said.reason && <p className="plain-text" dir="auto">{said.reason}</p>}
    </li>
  )
}

/** What is on screen has been read. Should the server not hear of it, the next look tells it. */
function useRead(feedback: readonly Feedback[] | undefined): void {
  const queries = useQueryClient()
  const unread = feedback?.filter(({ read_at }) => read_at === null).map(({ id }) => id).join(' ') ?? ''
  useEffect(() => {
    if (unread === '') return
    readFeedback(unread.split(' ').map(Number)).then(
      () => queries.invalidateQueries({ queryKey: ['progress'] }),
      () => undefined,
    )
  }, [unread, queries])
}
