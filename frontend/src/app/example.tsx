import type { Person } from '@/api'
import { RankItem } from '@/features/rank/rank-item'
import { Tour } from '@/features/tour/tour'
import { dropDraft } from '@/shared/drafts'

type Props = { person: Person; onDone: () => void }

/** The tour, on the very screen that real work is ranked on. */
export default function Example({ person, onDone }: Props) {
  function done() {
    dropDraft({ kind: 'ranking', person: person.id, id: 'tour' })
    onDone()
  }

  return (
    <Tour onDone={done} renderItem={(assignment, onSubmit) => (
      <RankItem assignment={assignment} person={person.id}
        onSubmit={onSubmit} />
    )} />
  )
}
