import { Button } from '@mantine/core'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Assignment } from '@/api'
import { useTitle } from '@/components/use-title'
import { keysFor } from '@/shared/keymap'

import { STEPS } from './steps'
import styles from './tour.module.css'

type Props = {
  onDone: () => void
  /** The screen that real work is ranked on, for this assignment. */
  renderItem: (assignment: Assignment, onSubmit: () => void) => ReactNode
}

/** What the keys mean, in four steps beside an example that is not stored. */
export function Tour({ onDone, renderItem }: Props) {
  const { t, i18n } = useTranslation()
  const [place, setPlace] = useState(0)
  const heading = useRef<HTMLHeadingElement>(null)
  const { name, commands } = STEPS[place]!
  const isLast = place === STEPS.length - 1
  useTitle(t('tour.title'))

  // After the example has put the focus on its own heading.
  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
  }, [place])

  const example: Assignment = {
    id: 'tour',
    campaign: 0,
    prompt: { id: 0, kind: 'example', language: i18n.language, messages: [{ role: 'user', content: t('tour.example.prompt') }] },
    candidates: (['good', 'thin', 'wrong'] as const).map((which, index) => ({ id: index + 1, text: t(`tour.example.${which}`) })),
    lease_expires_at: '',
    draft: null,
    guideline_version: 0,
  }

  return (
    <>
      <section className={styles.tour} aria-label={t('tour.step', { step: place + 1, count: STEPS.length })}>
        <div className={styles.text}>
          <p className="muted" aria-hidden>{t('tour.step', { step: place + 1, count: STEPS.length })}</p>
          <h2 ref={heading} tabIndex={-1}>{t(`tour.${name}.title`)}</h2>
          <p>{t(`tour.${name}.text`)}</p>
        </div>
        <dl className={styles.keys}>
          {commands.map((command) => (
            <div key={command}>
              <dt>{keysFor(command).map((key) => <kbd key={key}>{key}</kbd>)}</dt>
              <dd>{t(`tour.key.${command}`)}</dd>
            </div>
          ))}
        </dl>
        <div className={styles.actions}>
          <Button variant="subtle" onClick={onDone}>{t('tour.skip')}</Button>
          {place > 0 && <Button variant="default" onClick={() => setPlace(place - 1)}>{t('tour.back')}</Button>}
          <Button onClick={() => (isLast ? onDone() : setPlace(place + 1))}>{t(isLast ? 'tour.start' : 'tour.next')}</Button>
        </div>
      </section>
      {renderItem(example, () => (isLast ? onDone() : setPlace(STEPS.length - 1)))}
    </>
  )
}
