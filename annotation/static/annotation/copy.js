// A button with data-copy puts the text of the field with that id on the clipboard, and says so.
async function copy(button) {
  const field = document.getElementById(button.dataset.copy)
  field.select()
  try {
    await navigator.clipboard.writeText(field.value)
  } catch {
    // Over plain HTTP there is no clipboard; the text is selected, and the old way still works.
    document.execCommand('copy')
  }
  button.textContent = button.dataset.copied
}

for (const button of document.querySelectorAll('[data-copy]')) button.addEventListener('click', () => void copy(button))
