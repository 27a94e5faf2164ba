import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { keepFocus } from '@/components/keep-focus'

import { type Ballot, isUntouched, type Move } from './ballot'
import styles from './rank.module.css'
import { useDragging } from './use-dragging'

type Props = {
  ballot: Ballot
  letterOf: (id: number) => string
  onMove: (move: Move) => void
}

/** The ranking so far, best first, as chips that can be moved, tied and taken back; dragging them is one way of it. */
export function Tray({ ballot, letterOf, onMove }: Props) {
  const { t } = useTranslation()
  const [isWanted, setWanted] = useState(false)
  const chips = useDragging(isWanted, ballot, onMove)
  if (isUntouched(ballot)) return <p className={styles.hint}>{t('rank.hint')}</p>

  return (
    <div className={styles.tray} onPointerEnter={() => setWanted(true)}>
      {ballot.tiers.length > 0 && (
        <ol className={styles.tiers} aria-label={t('rank.tray')} ref={chips}>
          {ballot.tiers.map((tier, index) => (
            <li key={tier[0]} className={styles.tier}>
              {tier.map((id, within) => (
                <Fragment key={id}>
                  {(index > 0 || within > 0) && (
                    <button type="button" className={styles.sign} onMouseDown={keepFocus}
                      onClick={() => onMove({ type: 'toggleTie', id })}
                      aria-label={t(within > 0 ? 'rank.splitNamed' : 'rank.joinNamed', { letter: letterOf(id) })}
                      title={t(within > 0 ? 'rank.split' : 'rank.join')}>
                      {within > 0 ? '=' : '>'}
                    </button>
                  )}
                  <Chip id={id} letter={letterOf(id)} rank={index + 1} onMove={onMove}
                    isFirst={index === 0 && tier.length === 1}
                    isLast={index === ballot.tiers.length - 1 && tier.length === 1} />
                </Fragment>
              ))}
            </li>
          ))}
        </ol>
      )}
      {ballot.unacceptable.length > 0 && (
        <p className={styles.rejected}>
          {t('rank.unacceptable')}: {ballot.unacceptable.map(letterOf).join(', ')}
        </p>
      )}
    </div>
  )
}

type ChipProps = {
  id: number
  letter: string
  rank: number
  isFirst: boolean
  isLast: boolean
  onMove: (move: Move) => void
}

function Chip({ id, letter, rank, isFirst, isLast, onMove }: ChipProps) {
  const { t } = useTranslation()
  const name = t('rank.response', { letter })
  return (
    <span className={styles.chip} role="group" data-candidate={id}
      aria-label={t('rank.standing', { name, count: rank, ordinal: true })}>
      <button type="button" onMouseDown={keepFocus} disabled={isFirst} title={t('rank.moveUp')}
        aria-label={t('rank.moveUpNamed', { name })} onClick={() => onMove({ type: 'moveUp', id })}>
        ‹
      </button>
      <b>{letter}</b>
      <button type="button" onMouseDown={keepFocus} disabled={isLast} title={t('rank.moveDown')}
        aria-label={t('rank.moveDownNamed', { name })} onClick={() => onMove({ type: 'moveDown', id })}>
        ›
      </button>
      <button type="button" onMouseDown={keepFocus} title={t('rank.takeBack')}
        aria-label={t('rank.takeBackChip', { name })} onClick={() => onMove({ type: 'takeBack', id })}>
        ×
      </button>
    </span>
  )
}
