import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { KeyHint } from '@/components/key-hint'
import { keepFocus } from '@/components/keep-focus'
import { keysFor } from '@/shared/keymap'

import styles from './rank.module.css'

type Props = {
  /** As they stand, from left to right. */
  pair: readonly number[]
  /** What was said of them, where it stays: the better one, or null for equal. */
  said?: number | null | undefined
  letterOf: (id: number) => string
  onJudge: (better: number | null) => void
  onLeave?: () => void
}

/** "Which is better?", of two. */
export function Comparing({ pair: [first, second], said, letterOf, onJudge, onLeave }: Props) {
  const { t } = useTranslation()
  const [left, right] = [letterOf(first!), letterOf(second!)]
  return (
    <div className={styles.comparing} role="group" aria-label={t('compare.title')}>
      <p aria-live="polite">{t('compare.question', { left, right })}</p>
      <Answer words={t('compare.better', { letter: left })} keys={keysFor('chooseLeft')} isSaid={said === first}
        onClick={() => onJudge(first!)} />
      <Answer words={t('compare.equal')} keys={['=']} isSaid={said === null} onClick={() => onJudge(null)} />
      <Answer words={t('compare.better', { letter: right })} keys={keysFor('chooseRight')} isSaid={said === second}
        onClick={() => onJudge(second!)} />
      {onLeave && (
        <button type="button" className="quiet" onMouseDown={keepFocus} onClick={onLeave}>
          {t('compare.leave')}<KeyHint keys={keysFor('leaveView')} />
        </button>
      )}
    </div>
  )
}

type AnswerProps = { words: string; keys: readonly string[]; isSaid: boolean; onClick: () => void }

function Answer({ words, keys, isSaid, onClick }: AnswerProps) {
  return (
    <Button variant={isSaid ? 'filled' : 'default'} aria-pressed={isSaid} onMouseDown={keepFocus} onClick={onClick}>
      {words}<KeyHint keys={keys} />
    </Button>
  )
}
