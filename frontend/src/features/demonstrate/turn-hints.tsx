import { useDeferredValue, useMemo } from 'react'
import { useTranslation } from 'react-i18next'

import styles from './demonstrate.module.css'
import { isOtherScript, nameOfLanguage, sizeOf } from './hints'

/** How long a turn is, and a word where it does not look like the prompt's language. */
export function TurnHints({ text, language }: { text: string; language: string | undefined }) {
  const { t, i18n } = useTranslation()
  // Typing comes first, counting after.
  const counted = useDeferredValue(text)
  const size = useMemo(() => sizeOf(counted, language), [counted, language])
  const isOther = useMemo(() => isOtherScript(counted, language), [counted, language])
  const number = new Intl.NumberFormat(i18n.language)
  return (
    <p className={styles.hints}>
      <span>{t('demonstrate.words', { count: size.words, number: number.format(size.words) })}</span>
      <span>{t('demonstrate.characters', { count: size.characters, number: number.format(size.characters) })}</span>
      <span>{t('demonstrate.tokens', { count: size.tokens, number: number.format(size.tokens) })}</span>
      {isOther && (
        <strong>{t('demonstrate.otherLanguage', { language: nameOfLanguage(language!, i18n.language) })}</strong>
      )}
    </p>
  )
}
