import type { Person } from '@/api'
import { PracticeScreen } from '@/features/practice/practice-screen'
import { RankItem } from '@/features/rank/rank-item'

type Props = { campaign: number; name: string; person: Person }

/** Practice on the very screen that real work is ranked on. */
export default function Practice({ campaign, name, person }: Props) {
  return (
    <PracticeScreen campaign={campaign} name={name} person={person.id}
      renderItem={(assignment, onSubmit) => (
        <RankItem key={assignment.id} assignment={assignment} person={person.id}
          onSubmit={onSubmit} />
      )} />
  )
}
