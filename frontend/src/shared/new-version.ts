/** The script that a page starts with. Its name carries a digest, so a new build has another one. */
export function entryOf(page: string): string | null {
  const [script] = /<script\b[^>]*\btype="module"[^>]*>/.exec(page) ?? []
  return /\bsrc="([^"]+)"/.exec(script ?? '')?.[1] ?? null
}

/** Whether the server hands out another build than the one that runs here. No answer is no news. */
export async function isNewVersionThere(running: string, address: string): Promise<boolean> {
  try {
    const response = await fetch(new Request(new URL(address, location.href), { cache: 'no-store' }))
    const entry = response.ok ? entryOf(await response.text()) : null
    return entry !== null && entry !== running
  } catch {
    return false
  }
}
