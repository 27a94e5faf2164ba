import { Button } from '@mantine/core'
import { type KeyboardEvent, useCallback, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { isComposing } from '@/shared/keys'

import { type Flag, FLAGS } from './flags'
import { asInField, chosenIn, type Passage, quoteOf } from './passages'
import styles from './rank.module.css'

type Props = { text: string; language: string | undefined; name: string; onMark: (passage: Passage) => void; onClose: () => void }

type Chosen = Omit<Passage, 'flag'>

/**
 * The response as it was written, in a field where a passage can be chosen as in any text: by pointer, by touch or
 * by Shift and the arrow keys. Nothing can be written there.
 */
export default function PassageMarker({ text, language, name, onMark, onClose }: Props) {
  const { t } = useTranslation()
  const [chosen, setChosen] = useState<Chosen | null>(null)
  const [flag, setFlag] = useState<Flag>(FLAGS[0]!)
  const field = useRef<HTMLTextAreaElement>(null)

  // React's own event does not know of all that would change the text: of deleting, say.
  const opened = useCallback((element: HTMLTextAreaElement | null) => {
    field.current = element
    element?.addEventListener('beforeinput', (event) => event.preventDefault())
  }, [])

  function mark() {
    if (!chosen) return
    onMark({ ...chosen, flag })
    setChosen(null)
    field.current?.focus()
  }

  function onKeyDown(event: KeyboardEvent) {
    if (isComposing(event.nativeEvent)) return
    if (event.key === 'Escape') onClose()
    else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && event.target === field.current) mark()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className={styles.marker} onKeyDown={onKeyDown}>
      <p className={styles.note} id={`${name}-how`}>{t('spans.how')}</p>
      <textarea ref={opened} autoFocus className={styles.markField} value={asInField(text)} lang={language || undefined} dir="auto"
        aria-label={t('spans.field', { name })} aria-describedby={`${name}-how`} aria-readonly inputMode="none" spellCheck={false}
        onChange={() => undefined}
        onSelect={({ currentTarget: { selectionStart, selectionEnd } }) => setChosen(chosenIn(text, selectionStart, selectionEnd))} />
      <p className={styles.quote} aria-live="polite">
        {chosen ? t('spans.chosen', { quote: quoteOf(text, chosen) }) : t('spans.nothing')}
      </p>
      <div className={styles.markActions}>
        <select aria-label={t('spans.flag')} value={flag} onChange={(event) => setFlag(event.currentTarget.value as Flag)}>
          {FLAGS.map((one) => <option key={one} value={one}>{t(`flags.${one}`)}</option>)}
        </select>
        <Button size="sm" disabled={!chosen} onClick={mark}>{t('spans.mark')}</Button>
        <Button size="sm" variant="default" onClick={onClose}>{t('spans.done')}</Button>
      </div>
    </div>
  )
}
