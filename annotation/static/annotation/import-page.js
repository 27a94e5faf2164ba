// Keeps an import's page in step with the import, without reloading it.

const VISIBLE_MS = 1000
const HIDDEN_MS = 10_000

follow()

async function follow() {
  while (document.querySelector('[data-live]')) {
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? HIDDEN_MS : VISIBLE_MS))
    try {
      await renew()
    } catch {
      // The server is away for a moment: look again.
    }
  }
}

/** Replace the parts that have changed; the others keep their focus. */
async function renew() {
  const response = await fetch(location.href, { credentials: 'same-origin' })
  if (!response.ok) return
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-part]')) {
    const other = fresh.getElementById(part.id)
    if (other && other.dataset.part !== part.dataset.part) part.replaceWith(other)
  }
}
