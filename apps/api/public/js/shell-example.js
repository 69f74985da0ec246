// A command line with a button that copies it, where the browser allows that.
import { storedKey } from './api.js'
import { announce, h } from './dom.js'

/** args: what follows `curl`; where this server asks for a key, the line names it. */
export function shellExample(args) {
  const command =
    storedKey() === null ? `curl ${args}` : `curl -H "Authorization: Bearer $API_KEY" ${args}`
  const copy = h('button', { type: 'button', class: 'quiet', text: 'Copy' })
  copy.hidden = navigator.clipboard === undefined
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(command)
    announce('Copied.')
    copy.textContent = 'Copied'
    setTimeout(() => {
      copy.textContent = 'Copy'
    }, 1500)
  })
  return h('div', { class: 'shell' }, h('code', { text: command }), copy)
}
