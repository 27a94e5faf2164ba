import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { listOrders, type Order } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { Notice } from '@/components/notice'
import { wordsFor } from '@/shared/errors'
import { keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'

import styles from './rank.module.css'
import { isDisputed, standingsOf } from './standings'

type Props = {
  assignment: string
  letterOf: (id: number) => string
  isReady: boolean
  isShown: boolean
  onShow: (isShown: boolean) => void
}

/** What labelers said of the same responses: for whoever has an order of their own, so that it is their own. */
export function LabelersOrders({ assignment, letterOf, isReady, isShown, onShow }: Props) {
  const { t } = useTranslation()
  const { data, error, refetch } = useOrders(assignment, isShown)

  useCommands(['adjudicate'], { showOrders: () => isReady && onShow(!isShown) })

  return (
    <section className={styles.orders} aria-label={t('adjudicate.orders')}>
      <div className={styles.ordersHead}>
        <p className="muted">{t('adjudicate.explain')}</p>
        <Button variant="default" disabled={!isReady} aria-expanded={isShown} onClick={() => onShow(!isShown)}>
          {t(isShown ? 'adjudicate.hide' : 'adjudicate.show')}
          <KeyHint keys={keysFor('showOrders')} />
        </Button>
      </div>
      {isShown && error && (
        <Notice kind="error" words={wordsFor(error, t)} action={{ label: t('retry'), run: () => void refetch() }} />
      )}
      {isShown && data && (
        <ol aria-live="polite">
          {data.map((order, place) => (
            // Orders have no names and never change place.
            <li key={place}>
              <span className="muted">{t('adjudicate.labeler', { number: place + 1 })}</span> <OrderLine order={order} letterOf={letterOf} />
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

/** On one response: where each labeler put it, and whether they disagree. */
export function LabelersStandings({ assignment, id, name }: { assignment: string; id: number; name: string }) {
  const { t } = useTranslation()
  const { data = [] } = useOrders(assignment, true)
  const standings = standingsOf(data, id)
  if (standings.length === 0) return null
  return (
    <ul className={styles.standings} aria-label={t('adjudicate.put', { name })} data-disputed={isDisputed(standings)}>
      {standings.map(({ labeler, rank, isTied }) => (
        <li key={labeler} data-state={rank === null ? 'unacceptable' : 'ranked'}>
          {t('adjudicate.labeler', { number: labeler })}:{' '}
          <b>{rank === null ? t('rank.unacceptable') : t('rank.ordinal', { count: rank, ordinal: true })}</b>
          {isTied && ` ${t('rank.tied')}`}
        </li>
      ))}
    </ul>
  )
}

function useOrders(assignment: string, isWanted: boolean) {
  return useQuery({
    queryKey: ['orders', assignment],
    queryFn: () => listOrders(assignment),
    staleTime: Infinity,
    enabled: isWanted,
  })
}

function OrderLine({ order, letterOf }: { order: Order; letterOf: (id: number) => string }) {
  const { t } = useTranslation()
  const line = order.tiers.map((tier) => tier.map(letterOf).join(' = ')).join(' > ')
  const unacceptable = order.unacceptable.map(letterOf).join(', ')
  return (
    <>
      {line && <b>{line}</b>}
      {unacceptable && <span>{t('rank.said.unacceptable', { letters: unacceptable })}</span>}
      {order.cannot_judge && <span dir="auto">{t('adjudicate.cannotJudge', { reason: order.cannot_judge })}</span>}
      {order.rationale && <span className={styles.rationale} dir="auto">{order.rationale}</span>}
    </>
  )
}
