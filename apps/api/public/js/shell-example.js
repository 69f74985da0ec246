// A command line with a button that copies it, where the browser allows that.
import { announce, h } from './dom.js'

export function shellExample(command) {
  const copy = h('button', { type: 'button', class: 'quiet', text: 'Copy' })
  copy.hidden = navigator.clipboard === undefined
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(command)
    announce('Copied.')
    copy.textContent = 'Copied'
    setTimeout(() => { copy.textContent = 'Copy' }, 1500)
  })
  return h('div', { class: 'shell' }, h('code', { text: command }), copy)
}
