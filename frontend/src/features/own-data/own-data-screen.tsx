import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { getOwnData, type GivenConsent, OWN_CONTRIBUTIONS, type OwnData } from '@/api'
import { Markdown } from '@/components/markdown'
import { Notice } from '@/components/notice'
import { useTitle } from '@/components/use-title'
import { dateOf } from '@/shared/dates'
import { wordsFor } from '@/shared/errors'

import { ErasureForm } from './erasure-form'
import styles from './own-data.module.css'
import { WithdrawDialog } from './withdraw-dialog'

const queryKey = ['own-data']

/** What is recorded of me, what I agreed to, and the ways out. */
export default function OwnDataScreen() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery({ queryKey, queryFn: getOwnData })
  useTitle(t('ownData.title'))

  function refresh() {
    void queries.invalidateQueries({ queryKey })
    void queries.invalidateQueries({ queryKey: ['consent'] })
  }

  return (
    <div className={styles.page}>
      <h1>{t('ownData.title')}</h1>
      <p className="muted">{t('ownData.explain')}</p>
      {error && !data && (
        <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void refetch() }} />
      )}
      {!data && !error && <p className="waiting" aria-busy="true">{t('loading')}</p>}
      {data && (
        <>
          <Account account={data.account} />
          <Recorded campaigns={data.campaigns} />
          <Consents consents={data.consents} onWithdrawn={refresh} />
          <ErasureForm erasure={data.erasure} onAnswer={(answer) => queries.setQueryData(queryKey, answer)} />
        </>
      )}
    </div>
  )
}

function Account({ account }: { account: OwnData['account'] }) {
  const { t, i18n } = useTranslation()
  const told = [
    [t('ownData.username'), account.username],
    [t('ownData.name'), [account.first_name, account.last_name].filter(Boolean).join(' ')],
    [t('ownData.email'), account.email],
    [t('ownData.joined'), account.date_joined && dateOf(account.date_joined, i18n.language)],
    [t('ownData.lastSeen'), account.last_login && dateOf(account.last_login, i18n.language)],
  ]
  return (
    <section aria-labelledby="account">
      <h2 id="account">{t('ownData.account')}</h2>
      <dl className={styles.facts}>
        {told.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd dir="auto">{value || '–'}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Recorded({ campaigns }: { campaigns: OwnData['campaigns'] }) {
  const { t } = useTranslation()
  const counts = ['rankings', 'demonstrations', 'drafts', 'skips'] as const
  return (
    <section aria-labelledby="recorded">
      <h2 id="recorded">{t('ownData.recorded')}</h2>
      {campaigns.length === 0 && <p>{t('ownData.nothing')}</p>}
      {campaigns.length > 0 && (
        <div className="scroll-x" tabIndex={0} role="group" aria-labelledby="recorded">
          <table className={styles.counts}>
            <thead>
              <tr>
                <th scope="col">{t('ownData.campaign')}</th>
                {counts.map((what) => <th key={what} scope="col">{t(`ownData.${what}`)}</th>)}
              </tr>
            </thead>
            <tbody>
              {campaigns.map((campaign) => (
                <tr key={campaign.id}>
                  <th scope="row">{campaign.name}</th>
                  {counts.map((what) => <td key={what}>{campaign[what]}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {campaigns.map(({ id, name, retention_days: days }) => (
        days !== null && <p key={id} className="muted">{t('ownData.retention', { name, count: days })}</p>
      ))}
      <p><a href={OWN_CONTRIBUTIONS} download>{t('ownData.download')}</a></p>
    </section>
  )
}

function Consents({ consents, onWithdrawn }: { consents: readonly GivenConsent[]; onWithdrawn: () => void }) {
  const { t } = useTranslation()
  const [leaving, setLeaving] = useState<GivenConsent | null>(null)
  return (
    <section aria-labelledby="consents">
      <h2 id="consents">{t('ownData.consents')}</h2>
      {consents.length === 0 && <p>{t('ownData.noConsents')}</p>}
      <ul className={styles.consents}>
        {consents.map((consent) => (
          <Given key={consent.id} consent={consent}
            onWithdraw={consent === standing(consents, consent.campaign) ? () => setLeaving(consent) : undefined} />
        ))}
      </ul>
      {leaving && <WithdrawDialog consent={leaving} onClose={() => setLeaving(null)} onWithdrawn={onWithdrawn} />}
    </section>
  )
}

/** A campaign's latest consent that is not withdrawn: withdrawing it ends all before it. */
function standing(consents: readonly GivenConsent[], campaign: number): GivenConsent | undefined {
  return consents.find((consent) => consent.campaign === campaign && consent.withdrawn_at === null)
}

function Given({ consent, onWithdraw }: { consent: GivenConsent; onWithdraw: (() => void) | undefined }) {
  const { t, i18n } = useTranslation()
  const { campaign_name: name, version, given_at: given, withdrawn_at: withdrawn } = consent
  return (
    <li>
      <div className={styles.given}>
        <div>
          <p>{t('ownData.version', { name, version })}</p>
          <p className="muted">
            {withdrawn
              ? t('ownData.withdrawn', { date: dateOf(withdrawn, i18n.language) })
              : t('ownData.given', { date: dateOf(given, i18n.language) })}
          </p>
        </div>
        {onWithdraw && (
          <button type="button" className={styles.plain} onClick={onWithdraw} aria-label={t('ownData.withdrawNamed', { name })}>
            {t('ownData.withdraw')}
          </button>
        )}
      </div>
      <details>
        <summary>{t('ownData.read')}</summary>
        <Markdown text={consent.text} />
      </details>
    </li>
  )
}
