let noted: { server: number; here: number } | null = null

/** Remember what a response says the time is. */
export function noteServerTime(date: string | null): void {
  const server = Date.parse(date ?? '')
  if (!Number.isNaN(server)) noted = { server, here: performance.now() }
}

/** The server's time in milliseconds, by a clock that nobody sets: this device's may be wrong, or jump. */
export function serverNow(): number {
  return noted ? noted.server + performance.now() - noted.here : Date.now()
}
