import type { Command } from '@/shared/keymap'

/** What each step is about, and the keys it shows. */
export const STEPS = [
  { name: 'rank', commands: ['place', 'undo'] },
  { name: 'ties', commands: ['tie', 'reject'] },
  { name: 'submit', commands: ['submit', 'redo'] },
  { name: 'help', commands: ['showGuideline', 'showShortcuts'] },
] as const satisfies readonly { name: string; commands: readonly Command[] }[]
