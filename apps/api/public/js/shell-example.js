// Shows a command line with a button that copies it, where the browser allows copying.
import { storedKey } from './api.js'
import { announce, h } from './dom.js'

/** args: the arguments after `curl`. Where this server asks for a key, the line names the key. */
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
