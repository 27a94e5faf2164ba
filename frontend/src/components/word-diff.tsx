import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'

import { wordChanges } from './word-changes'
import styles from './word-diff.module.css'

type Props = { before: string; after: string; language?: string | undefined }

/** What changed from one text to the other, word by word, as it was written. Ask for it lazily: it brings jsdiff. */
export default function WordDiff({ before, after, language }: Props) {
  const { t } = useTranslation()
  const changes = useMemo(() => wordChanges(before, after, language), [before, after, language])

  if (before === after) return <p className="muted">{t('wordDiff.same')}</p>
  return (
    <>
      {changes === null && <p className="muted">{t('wordDiff.tooDifferent')}</p>}
      <div className={`prose plain-text ${styles.diff}`} lang={language || undefined} dir="auto">
        {changes?.map(({ kind, text }, place) => {
          if (kind === 'same') return <span key={place}>{text}</span>
          return kind === 'added' ? <ins key={place}>{text}</ins> : <del key={place}>{text}</del>
        }) ?? after}
      </div>
    </>
  )
}
