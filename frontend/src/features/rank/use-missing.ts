import { type RefObject, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { announce } from '@/shared/announce'

import type { Missing } from './judgement'

/** Says what a judgement still lacks, goes there, and leaves the words on screen until it lacks it no more. */
export function useMissing(missing: Missing | null, note: RefObject<HTMLTextAreaElement | null>, letterOf: (id: number) => string) {
  const { t } = useTranslation()
  const [wasAsked, setAsked] = useState(false)
  const words = missing && wordsFor(missing)

  function wordsFor(lack: Missing): string {
    switch (lack.what) {
      case 'place':
        return t('rank.said.missing', { letters: lack.ids.map(letterOf).join(', ') })
      case 'strength':
        return t('rank.said.strengthMissing')
      case 'rating':
        return t('rank.said.ratingMissing', { letters: lack.ids.map(letterOf).join(', ') })
      case 'rationale':
        return t('rank.said.rationaleMissing')
      case 'edit':
        return t('rank.said.editMissing')
    }
  }

  /** Returns whether there was anything to go to. */
  function goToMissing(): boolean {
    if (!missing || !words) return false
    setAsked(true)
    if (missing.what === 'rating') firstUnrated(missing.ids[0]!)?.focus()
    if (missing.what === 'rationale') note.current?.focus()
    announce(words)
    return true
  }

  return { lacking: wasAsked ? words : null, goToMissing }
}

function firstUnrated(id: number): HTMLElement | null {
  return document.querySelector(`article[data-candidate="${id}"] [data-unrated] input`)
}
