import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { type ChatMessage, type ChatVerdict, decideBetween, type SideBySide } from '@/api'
import { KeyHint } from '@/components/key-hint'
import { wordsFor } from '@/shared/errors'
import { ariaKeysFor, keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'

import styles from './chat.module.css'
import { Said } from './reply'
import type { Live } from './use-chat'

const VERDICTS = [
  ['left', 'leftBetter'],
  ['right', 'rightBetter'],
  ['tie', 'bothGood'],
  ['both_bad', 'bothBad'],
] as const

type Props = {
  pair: SideBySide
  left: ChatMessage
  right: ChatMessage
  live: Readonly<Record<number, Live>>
  onDecided: (pair: SideBySide, chosen: number) => void
}

/** Two answers, and nothing that tells one from the other but what they say. */
export function Pair({ pair, left, right, live, onDecided }: Props) {
  const { t } = useTranslation()
  const isOver = [left, right].every(({ id, status }) => !live[id] && status !== 'WRITING')
  const decide = useMutation({
    mutationFn: (verdict: ChatVerdict) => decideBetween(pair.id, verdict),
    onSuccess: (decided) => onDecided(decided, decided.verdict === 'right' ? right.id : left.id),
  })
  const say = (verdict: ChatVerdict) => isOver && !decide.isPending && (decide.mutate(verdict), true)
  useCommands(['chat'], {
    leftBetter: () => say('left'),
    rightBetter: () => say('right'),
    bothGood: () => say('tie'),
    bothBad: () => say('both_bad'),
  })

  return (
    <section className={styles.pair} aria-labelledby={`pair-${pair.id}`}>
      <h2 id={`pair-${pair.id}`}>{t('chat.pairTitle')}</h2>
      <div className={styles.sides}>
        {[left, right].map((answer, place) => (
          <article key={answer.id} className={styles.side} aria-label={t(place === 0 ? 'chat.left' : 'chat.right')}
            aria-busy={Boolean(live[answer.id])}>
            <Said answer={answer} live={live[answer.id]} />
          </article>
        ))}
      </div>
      {decide.error && <p role="alert" className="error-text">{wordsFor(decide.error, t)}</p>}
      <div className={styles.verdicts}>
        {VERDICTS.map(([verdict, command]) => (
          <Button key={verdict} variant="default" disabled={!isOver} loading={decide.isPending && decide.variables === verdict}
            aria-keyshortcuts={ariaKeysFor(command)} onClick={() => say(verdict)}>
            {t(`chat.verdict.${verdict}`)}<KeyHint keys={keysFor(command)} />
          </Button>
        ))}
        <button type="button" className="quiet" disabled={!isOver} onClick={() => say('skipped')}>{t('chat.verdict.skipped')}</button>
      </div>
    </section>
  )
}
