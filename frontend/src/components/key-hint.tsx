/** The key that does what the button under it does. The style sheet draws it, so it is no part of the button's name. */
export function KeyHint({ keys }: { keys: readonly string[] }) {
  if (keys.length === 0) return null
  return <span className="key-hint" data-keys={keys.join(' ')} aria-hidden />
}
