import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import { readFeedback, type UnreadFeedback as Feedback } from '@/api'
import { wordsFor } from '@/shared/errors'
import { momentOf } from '@/shared/moments'

import styles from './home.module.css'

/** What reviewers said that I have not read yet. */
export function UnreadFeedback({ feedback, unread }: { feedback: readonly Feedback[]; unread: number }) {
  const { t, i18n } = useTranslation()
  const queries = useQueryClient()
  const read = useMutation({
    mutationFn: () => readFeedback(feedback.map(({ id }) => id)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['progress'] }),
  })

  return (
    <section className={styles.feedback} aria-labelledby="feedback">
      <div className={styles.feedbackHead}>
        <h2 id="feedback">{t('home.feedback', { count: unread })}</h2>
        <Button variant="subtle" size="compact-sm" loading={read.isPending} onClick={() => read.mutate()}>{t('home.readAll')}</Button>
      </div>
      {read.error && <p role="alert" className="error-text">{wordsFor(read.error, t)}</p>}
      <ul>
        {feedback.map((said) => (
          <li key={said.id} data-verdict={said.verdict}>
            <p>
              <strong>{t(`history.standing.${said.verdict}`)}</strong>
              <span className="muted"> {said.campaign_name} · {momentOf(said.reviewed_at, i18n.language)}</span>
            </p>
            <p className={styles.excerpt} dir="auto" id={`excerpt-${said.id}`}>{said.excerpt}</p>
            {said.reason && <p className="plain-text" dir="auto">{said.reason}</p>}
            <Link href={placeOf(said)} id={`open-${said.id}`} aria-labelledby={`open-${said.id} excerpt-${said.id}`}>{t('home.open')}</Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What its author took back lies in the editor; all else in the history. */
function placeOf({ status, campaign, demonstration }: Feedback): string {
  return status === 'DRAFT' ? `/demonstrate/${campaign}` : `/history/demonstrations/${demonstration}`
}
