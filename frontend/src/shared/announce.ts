/** One polite live region for the whole page: what just happened, for people who do not see it happen. */
let region: HTMLElement | null = null

export function announce(text: string): void {
  region ??= document.querySelector<HTMLElement>('[data-live-region]') ?? createRegion()
  // The same words twice are read twice only when the text differs.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text
}

function createRegion(): HTMLElement {
  const created = document.createElement('div')
  created.dataset.liveRegion = ''
  created.setAttribute('role', 'status')
  created.className = 'visually-hidden'
  document.body.append(created)
  return created
}
