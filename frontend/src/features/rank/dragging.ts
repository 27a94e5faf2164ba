import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine'
import { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter'
import { attachInstruction, extractInstruction, type Instruction } from '@atlaskit/pragmatic-drag-and-drop-hitbox/list-item'

import type { Move } from './ballot'
import { type Drop, moveOfDrop } from './drop'
import type { Tiers } from './tiers'

const DROPS: Record<Instruction['operation'], Drop> = { 'reorder-before': 'before', 'reorder-after': 'after', combine: 'on' }

/** Let the chips of a list be dragged onto and between each other. Returns how to stop. */
export function letChipsBeDragged(list: HTMLElement, tiers: Tiers, onMove: (move: Move) => void): () => void {
  const chips = [...list.querySelectorAll<HTMLElement>('[data-candidate]')]
  return combine(...chips.map((chip) => combine(asDraggable(chip), asTarget(chip, list, tiers, onMove))))
}

function asDraggable(chip: HTMLElement) {
  return draggable({
    element: chip,
    getInitialData: () => ({ id: idOf(chip) }),
    onDragStart: () => (chip.dataset.dragged = ''),
    onDrop: () => delete chip.dataset.dragged,
  })
}

function asTarget(chip: HTMLElement, list: HTMLElement, tiers: Tiers, onMove: (move: Move) => void) {
  const show = (drop: Drop | null) => {
    if (drop) chip.dataset.drop = drop
    else delete chip.dataset.drop
  }
  return dropTargetForElements({
    element: chip,
    canDrop: ({ source }) => source.element !== chip && list.contains(source.element),
    getData: ({ input, element }) =>
      attachInstruction(
        {},
        {
          input,
          element,
          axis: 'horizontal',
          operations: { 'reorder-before': 'available', 'reorder-after': 'available', combine: 'available' },
        },
      ),
    onDrag: ({ self }) => show(dropOf(self.data)),
    onDragLeave: () => show(null),
    onDrop: ({ source, self }) => {
      show(null)
      const drop = dropOf(self.data)
      if (drop) onMove(moveOfDrop(Number(source.data.id), idOf(chip), drop, tiers))
    },
  })
}

function dropOf(data: Record<string | symbol, unknown>): Drop | null {
  const instruction = extractInstruction(data)
  return instruction && DROPS[instruction.operation]
}

function idOf(chip: HTMLElement): number {
  return Number(chip.dataset.candidate)
}
