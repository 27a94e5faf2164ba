import { useTranslation } from 'react-i18next'

/** The box of ``- [x] done``: it says how it was written, nobody can tick it. */
export function TaskBox({ isDone }: { isDone: boolean }) {
  const { t } = useTranslation()
  return <span className="task-box" role="img" aria-label={t(isDone ? 'text.taskDone' : 'text.taskOpen')}>{isDone ? '☑' : '☐'} </span>
}
