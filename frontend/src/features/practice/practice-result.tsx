import { Button } from '@mantine/core'
import type { TFunction } from 'i18next'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

import type { PracticeItem, PracticeResult } from '@/api'
import { Conversation } from '@/components/conversation'
import { KeyHint } from '@/components/key-hint'
import { Markdown } from '@/components/markdown'
import { keysFor } from '@/shared/keymap'
import { useCommands } from '@/shared/use-commands'

import styles from './practice.module.css'
import { compare, type Order, type Standing } from './standings'

type Props = {
  item: PracticeItem
  own: Order
  result: PracticeResult
  onAgain: () => void
  onNext: () => void
}

/** One's own order beside the known one, what differs, and why. */
export function PracticeResultView({ item, own, result, onAgain, onNext }: Props) {
  const { t } = useTranslation()
  const { is_passed, answer, progress, has_more } = result
  const heading = useRef<HTMLHeadingElement>(null)
  const compared = compare(own, answer)
  const wanted = progress.passed + progress.left
  const mayRank = is_passed && progress.left === 0 && (wanted > 0 || !has_more)
  const textOf = (id: number) => item.candidates.find((candidate) => candidate.id === id)?.text ?? ''
  const letterOf = (id: number) => String.fromCharCode(65 + item.candidates.findIndex((candidate) => candidate.id === id))
  useCommands(['everywhere'], { submitAnywhere: is_passed ? () => has_more && (onNext(), true) : onAgain })

  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [])

  return (
    <div className={styles.result}>
      <header className={styles.verdict} data-passed={is_passed}>
        <h1 ref={heading} tabIndex={-1}>{t(is_passed ? 'practice.passed' : 'practice.failed')}</h1>
        {wanted > 0 && <p className="muted">{t('practice.progress', { passed: progress.passed, count: wanted })}</p>}
      </header>

      <div className={styles.told}>
        <section aria-labelledby="practice-orders">
          <h2 id="practice-orders">{t('practice.orders')}</h2>
          <dl className={styles.orders}>
            <dt>{t('practice.known')}</dt>
            <dd>{line(answer, letterOf, t)}</dd>
            <dt>{t('practice.own')}</dt>
            <dd>{line(own, letterOf, t)}</dd>
          </dl>
        </section>
        <section aria-labelledby="practice-why">
          <h2 id="practice-why">{t('practice.why')}</h2>
          <Markdown text={answer.explanation} />
        </section>
      </div>

      <section className={styles.prompt} aria-label={t('prompt')}>
        <Conversation messages={item.prompt.messages} language={item.prompt.language} />
      </section>

      <ol className={styles.answers} data-count={compared.length} aria-label={t('practice.each')}>
        {compared.map(({ id, known, own: mine, above, below }) => (
          <li key={id} data-alike={above.length + below.length === 0}>
            <header>
              <h2 aria-label={t('rank.response', { letter: letterOf(id) })}><span aria-hidden>{letterOf(id)}</span></h2>
              <p>
                <strong>{t('practice.knownAt', { standing: words(known, t) })}</strong>
                <span>{t('practice.ownAt', { standing: words(mine, t) })}</span>
              </p>
            </header>
            <p className={styles.amiss}>
              {above.length + below.length === 0 && t('practice.inPlace')}
              {above.length > 0 && <span>{t('practice.above', { letters: above.map(letterOf).join(', ') })}</span>}
              {below.length > 0 && <span>{t('practice.below', { letters: below.map(letterOf).join(', ') })}</span>}
            </p>
            <Markdown text={textOf(id)} language={item.prompt.language} />
          </li>
        ))}
      </ol>

      <section className={styles.bar} aria-label={t('practice.bar')}>
        {mayRank && <p>{t('practice.mayRank')}</p>}
        {mayRank && <Link href={`/rank/${item.campaign}`} className={styles.go!}>{t('practice.toWork')}</Link>}
        {has_more && (
          <Button variant={is_passed && !mayRank ? 'filled' : 'default'} onClick={onNext}>
            {t('practice.next')}{is_passed && <KeyHint keys={keysFor('submitAnywhere')} />}
          </Button>
        )}
        {!is_passed && (
          <Button onClick={onAgain}>{t('practice.again')}<KeyHint keys={keysFor('submitAnywhere')} /></Button>
        )}
      </section>
    </div>
  )
}

function line({ tiers, unacceptable }: Order, letterOf: (id: number) => string, t: TFunction): string {
  const order = tiers.map((tier) => tier.map(letterOf).join(' = ')).join(' > ')
  const rejected = unacceptable.length > 0 && `${t('rank.unacceptable')}: ${unacceptable.map(letterOf).join(', ')}`
  return [order, rejected].filter(Boolean).join(' · ') || t('rank.cannotJudge.open')
}

function words(standing: Standing, t: TFunction): string {
  if (standing === null) return t('practice.notRanked')
  return standing === 'unacceptable' ? t('rank.unacceptable') : t('rank.ordinal', { count: standing, ordinal: true })
}
