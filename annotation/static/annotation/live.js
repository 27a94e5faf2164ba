// Brings up to date what is under way: every element with data-live, by its name, from the page as the server
// has it now; in a list its whole row. It goes on for as long as one of them is marked data-live-on, which may say
// after how many seconds; and from where, with data-live-from, on a page that was posted.
const PAUSE = 2
// Not the box that somebody may have ticked.
const CELLS = ':scope > [class*="field-"]'

async function renew(from) {
  const response = await fetch(from, { credentials: 'same-origin' })
  if (!response.ok) return
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`)
    if (now) keepTokens(now)
    if (now && now.outerHTML !== part.outerHTML) replace(part, now)
  }
}

// A form's token is written anew in every answer and means the same: only for that, no button loses its focus.
function keepTokens(now) {
  const ours = document.querySelector('[name=csrfmiddlewaretoken]')
  for (const token of now.querySelectorAll('[name=csrfmiddlewaretoken]')) token.setAttribute('value', ours?.value ?? token.value)
}

function replace(part, now) {
  const row = part.closest('tr')
  const cells = row ? [...now.closest('tr').querySelectorAll(CELLS)] : [now]
  for (const [place, old] of (row ? [...row.querySelectorAll(CELLS)] : [part]).entries()) {
    if (old.outerHTML !== cells[place].outerHTML) old.replaceWith(cells[place])
  }
}

async function follow() {
  for (let on; (on = document.querySelector('[data-live-on]')); ) {
    const seconds = Number(on.dataset.liveOn) || PAUSE
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    // Whoever is not looking costs nothing; a request that fails is tried again.
    if (!document.hidden) await renew(on.dataset.liveFrom || location.href).catch(() => undefined)
  }
}

document.addEventListener('DOMContentLoaded', () => void follow())
