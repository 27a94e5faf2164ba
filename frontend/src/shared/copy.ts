/** Put a text into the clipboard; over plain HTTP, where that is refused, into a file. */
export async function copyText(text: string): Promise<'copied' | 'saved'> {
  try {
    await navigator.clipboard.writeText(text)
    return 'copied'
  } catch {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
    link.download = 'rankwright.txt'
    link.click()
    URL.revokeObjectURL(link.href)
    return 'saved'
  }
}
