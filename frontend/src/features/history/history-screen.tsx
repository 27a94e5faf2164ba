import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'wouter'

import { type Campaign, type HistoryFilter, listHistory } from '@/api'
import { Loaded } from '@/components/loaded'
import { useTitle } from '@/components/use-title'

import { Filters } from './filters'
import styles from './history.module.css'
import { HistoryRow } from './history-row'
import { Skipped } from './skipped'

/** What I handed in, latest first. */
export default function HistoryScreen({ campaigns }: { campaigns: readonly Campaign[] }) {
  const { t } = useTranslation()
  const [filter, setFilter] = useFilter()
  useTitle(t('history.title'))
  const pages = useInfiniteQuery({
    queryKey: ['history', filter],
    queryFn: ({ pageParam }) => listHistory({ ...filter, ...(pageParam && { after: pageParam }) }),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    refetchOnMount: 'always',
  })
  const isFiltered = Object.keys(filter).length > 0

  return (
    <div className={styles.page}>
      <h1>{t('history.title')}</h1>
      <p className="muted">{t('history.explain')}</p>
      <Skipped />
      <Filters campaigns={campaigns} filter={filter} onChange={setFilter} />
      <Loaded query={pages as never} isEmpty={() => pages.data?.pages[0]?.entries.length === 0}
        empty={<p className={styles.empty}>{t(isFiltered ? 'history.noneLikeThis' : 'history.none')}</p>}>
        {() => (
          <>
            <ul className={styles.rows}>
              {pages.data?.pages.flatMap(({ entries }) => entries).map((entry) => (
                <HistoryRow key={`${entry.kind} ${entry.id}`} entry={entry} />
              ))}
            </ul>
            {pages.hasNextPage && (
              <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                {t('history.more')}
              </Button>
            )}
          </>
        )}
      </Loaded>
    </div>
  )
}

/** The filter stands in the address, so that going back from an entry finds it again. */
function useFilter(): [HistoryFilter, (filter: HistoryFilter) => void] {
  const [params, setParams] = useSearchParams()
  const campaign = Number(params.get('campaign'))
  const kind = params.get('kind') as HistoryFilter['kind'] | null
  const standing = params.get('standing') as HistoryFilter['standing'] | null
  const filter = { ...(campaign > 0 && { campaign }), ...(kind && { kind }), ...(standing && { standing }) }
  const change = (next: HistoryFilter) =>
    setParams(Object.entries(next).map(([name, value]): [string, string] => [name, String(value)]), { replace: true })
  return [filter, change]
}
