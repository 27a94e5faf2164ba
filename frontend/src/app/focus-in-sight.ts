const SPARE = 8

/** A card's head may stick below the prompt that sticks below the header. */
const MOST_BARS = 3

/** Keep what the keyboard has reached out from under bars that stick (WCAG 2.4.11), however high they have grown. */
export function keepFocusInSight(): void {
  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.matches(':focus-visible')) return
    // The browser scrolls by itself first, and knows nothing of bars.
    requestAnimationFrame(() => {
      for (let bars = 0; bars < MOST_BARS && uncover(target); bars++);
    })
  })
}

function uncover(target: HTMLElement): boolean {
  const box = target.getBoundingClientRect()
  const bar = barOver(target, box)
  if (!bar) return false
  const { top, bottom } = bar.getBoundingClientRect()
  const isBelow = top + bottom > innerHeight
  scrollBy({ top: isBelow ? box.bottom - top + SPARE : box.top - bottom - SPARE, behavior: 'instant' })
  return true
}

/** The sticking bar that lies over the middle of something outside of it. */
function barOver(target: HTMLElement, { left, right, top, bottom }: DOMRect): HTMLElement | null {
  let over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
  if (over === null || target.contains(over)) return null
  for (; over instanceof HTMLElement && !over.contains(target); over = over.parentElement) {
    if (/sticky|fixed/.test(getComputedStyle(over).position)) return over
  }
  return null
}
