import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import styles from './settings.module.css'

type Props = {
  label: string
  description: string
  value: number
  most: number
  onChange: (value: number) => void
}

/** A whole number from 0. It is kept when the field is left, or on Enter: half a number is none. */
export function NumberSetting({ label, description, value, most, onChange }: Props) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState<string | null>(null)
  const number = Number(typed ?? value)
  const isValid = typed === null || (/^\d+$/.test(typed.trim()) && number <= most)

  function commit() {
    if (!isValid) return
    if (number !== value) onChange(number)
    setTyped(null)
  }

  return (
    <TextInput inputMode="numeric" label={label} description={description} value={typed ?? String(value)} classNames={{ input: styles.number! }}
      error={isValid ? null : t('settings.numberUpTo', { most })} onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={commit} onKeyDown={(event) => event.key === 'Enter' && commit()} />
  )
}
