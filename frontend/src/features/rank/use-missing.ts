import type { RefObject } from 'react'
import { useTranslation } from 'react-i18next'

import { announce } from '@/shared/announce'

import type { Missing } from './judgement'

/** Says what a judgement still lacks, and goes there. */
export function useMissing(note: RefObject<HTMLTextAreaElement | null>, letterOf: (id: number) => string) {
  const { t } = useTranslation()

  return (missing: Missing): void => {
    switch (missing.what) {
      case 'place':
        return announce(t('rank.said.missing', { letters: missing.ids.map(letterOf).join(', ') }))
      case 'strength':
        return announce(t('rank.said.strengthMissing'))
      case 'rating':
        firstUnrated(missing.ids[0]!)?.focus()
        return announce(t('rank.said.ratingMissing', { letters: missing.ids.map(letterOf).join(', ') }))
      case 'rationale':
        note.current?.focus()
        return announce(t('rank.said.rationaleMissing'))
      case 'edit':
        return announce(t('rank.said.editMissing'))
    }
  }
}

function firstUnrated(id: number): HTMLElement | null {
  return document.querySelector(`article[data-candidate="${id}"] [data-unrated] input`)
}
