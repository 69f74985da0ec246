// Builds elements. Text enters as text nodes only: the page never parses HTML from data.

export const byId = (id) => document.getElementById(id)

/**
 * props: class, data (dataset), on (listeners), text. Every other name is set as an attribute
 * (true: empty, false/null: left out).
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) setProp(node, name, value)
  node.append(...children.filter((child) => child !== null && child !== undefined))
  return node
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return
  if (name === 'class') node.className = value
  else if (name === 'text') node.textContent = value
  else if (name === 'data') Object.assign(node.dataset, value)
  else if (name === 'on')
    for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener)
  else node.setAttribute(name, value === true ? '' : String(value))
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Empties the region first, so that a screen reader reads the same words twice. */
export function announce(text) {
  const region = byId('announce')
  region.textContent = ''
  setTimeout(() => {
    region.textContent = text
  }, 50)
}
