// Gives pictures that are dropped or pasted anywhere on the page to the open view.
import { byId } from './dom.js'

const carriesFiles = (transfer) => transfer !== null && [...transfer.types].includes('Files')
const filesOf = (transfer) => [...(transfer?.files ?? [])]

/** accept() answers null when the view cannot take files now, else {say, take(files)}. */
export function watchIncoming(accept) {
  const veil = byId('drop-veil')
  let depth = 0
  const leave = () => {
    depth = 0
    veil.hidden = true
  }

  document.addEventListener('dragenter', (event) => {
    const target = accept()
    if (!carriesFiles(event.dataTransfer) || target === null) return
    depth += 1
    byId('drop-veil-text').textContent = target.say
    veil.hidden = false
  })
  document.addEventListener('dragleave', () => {
    depth -= 1
    if (depth <= 0) leave()
  })
  document.addEventListener('dragover', (event) => {
    if (carriesFiles(event.dataTransfer)) event.preventDefault()
  })
  document.addEventListener('drop', (event) => {
    if (!carriesFiles(event.dataTransfer)) return
    event.preventDefault()
    leave()
    const files = filesOf(event.dataTransfer)
    if (files.length > 0) accept()?.take(files)
  })
  document.addEventListener('paste', (event) => {
    const files = filesOf(event.clipboardData)
    const target = accept()
    if (files.length === 0 || target === null) return
    event.preventDefault()
    target.take(files)
  })
}
