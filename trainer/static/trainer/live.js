// Brings up to date what is under way: every element with data-live, by its name, from the page as the server
// has it now. It goes on for as long as one of them is marked data-live-on.
const PAUSE = 2000

async function renew() {
  const response = await fetch(location.href, { credentials: 'same-origin' })
  if (!response.ok) return
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`)
    // Its frame goes along where it has one: a label's color tells the state too.
    if (now && now.outerHTML !== part.outerHTML) frame(part).replaceWith(frame(now))
  }
}

function frame(part) {
  return part.closest('td, th, [data-live-frame]')?.querySelector(':scope > *') ?? part
}

async function follow() {
  while (document.querySelector('[data-live-on]')) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
    // Whoever is not looking costs nothing; a request that fails is tried again.
    if (!document.hidden) await renew().catch(() => undefined)
  }
}

document.addEventListener('DOMContentLoaded', () => void follow())
