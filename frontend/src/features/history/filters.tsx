import { useTranslation } from 'react-i18next'

import type { Campaign, HistoryFilter } from '@/api'

import styles from './history.module.css'

const KINDS = ['ranking', 'demonstration'] as const
const STANDINGS = ['SUBMITTED', 'CORRECTED', 'SURPLUS', 'ACCEPTED', 'RETURNED'] as const

type Props = { campaigns: readonly Campaign[]; filter: HistoryFilter; onChange: (filter: HistoryFilter) => void }

/** By campaign, by kind, by standing. */
export function Filters({ campaigns, filter, onChange }: Props) {
  const { t } = useTranslation()

  function choose(name: keyof HistoryFilter, value: string) {
    const rest = Object.entries(filter).filter(([other]) => other !== name)
    onChange(Object.fromEntries(value ? [...rest, [name, value]] : rest) as HistoryFilter)
  }

  return (
    <div className={styles.filters} role="group" aria-label={t('history.filters')}>
      <Choice label={t('history.campaign')} value={filter.campaign ?? ''} onChoose={(value) => choose('campaign', value)}
        options={campaigns.map(({ id, name }) => [String(id), name])} />
      <Choice label={t('history.kindOfWork')} value={filter.kind ?? ''} onChoose={(value) => choose('kind', value)}
        options={KINDS.map((kind) => [kind, t(`history.kind.${kind}`)])} />
      <Choice label={t('history.status')} value={filter.standing ?? ''} onChoose={(value) => choose('standing', value)}
        options={STANDINGS.map((standing) => [standing, t(`history.standing.${standing}`)])} />
    </div>
  )
}

type ChoiceProps = {
  label: string
  value: string | number
  options: readonly (readonly [string, string])[]
  onChoose: (value: string) => void
}

function Choice({ label, value, options, onChoose }: ChoiceProps) {
  const { t } = useTranslation()
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{t('history.all')}</option>
        {options.map(([key, words]) => <option key={key} value={key}>{words}</option>)}
      </select>
    </label>
  )
}
