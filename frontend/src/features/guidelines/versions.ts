import type { GuidelineVersion } from '@/api'

/** The version to compare with: the last one that was acknowledged before it, else the one before; null for the first. */
export function comparedWith(versions: readonly GuidelineVersion[], shown: number): number | null {
  const earlier = versions.filter(({ version }) => version < shown).map(({ version }) => version)
  const read = versions.filter(({ version, acknowledged_at }) => version < shown && acknowledged_at !== null)
  if (earlier.length === 0) return null
  return Math.max(...(read.length > 0 ? read.map(({ version }) => version) : earlier))
}
