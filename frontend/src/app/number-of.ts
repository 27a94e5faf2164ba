/** A part of an address as the number that it is; null where it is none. */
export function numberOf(part: string | undefined): number | null {
  return part && /^\d+$/.test(part) ? Number(part) : null
}
