import { useState } from 'react'

import type { Ballot } from './ballot'
import { answer, comparedWith, type Search, searchIn } from './insertion'
import { useLook } from './look'
import type { Ranking } from './use-ranking'

/** Which responses are in sight, and how to change that. */
export function useView({ ids, ballot, take }: Ranking) {
  const [look, setLook] = useLook()
  const [focused, setFocused] = useState(ids[0]!)
  const [comparing, setComparing] = useState<{ search: Search | null; of: Ballot } | null>(null)

  // What was ranked otherwise meanwhile begins the search anew.
  const search = comparing && (comparing.of === ballot && comparing.search ? comparing.search : searchIn(ballot, ids))
  const pair = search && [search.id, comparedWith(search, ballot, ids)].sort((a, b) => ids.indexOf(a) - ids.indexOf(b))
  const view = pair ? 'compare' : look.view
  const shown = pair ?? (view === 'focus' ? [focused] : ids)

  function judge(better: number | null) {
    if (!search || (better !== null && !shown.includes(better))) return
    const verdict = better === null ? 'equal' : better === search.id ? 'better' : 'worse'
    const outcome = answer(search, verdict, ballot, ids)
    if ('search' in outcome) setComparing({ search: outcome.search, of: ballot })
    else outcome.moves.forEach(take)
  }

  return {
    look,
    view,
    shown,
    focused,
    judge,
    isRaw: look.isRaw,
    canCompare: ids.length > 2 && searchIn(ballot, ids) !== null,
    focus: setFocused,
    toggleFocus: () => {
      setComparing(null)
      setLook({ ...look, view: view === 'focus' ? 'columns' : 'focus' })
    },
    toggleCompare: () => setComparing(search ? null : { search: null, of: ballot }),
    toggleRaw: () => setLook({ ...look, isRaw: !look.isRaw, showsChanges: false }),
    toggleChanges: () => setLook({ ...look, showsChanges: !look.showsChanges, isRaw: false }),
    leave: () => {
      setComparing(null)
      if (look.view === 'focus') setLook({ ...look, view: 'columns' })
    },
  }
}

export type View = ReturnType<typeof useView>
