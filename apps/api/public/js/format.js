// Formats numbers and times for the page.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const oneDigit = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

export const count = (value) => whole.format(value)
export const plural = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`
export const score = (value) => value.toFixed(3)
/** A confidence as whole percent. */
export const percent = (value) => `${Math.round(100 * value)} %`
/** Whether a hit is unlikely to be the same thing: an answer shows it grey. */
export const isDoubtful = ({ confidence }) => confidence !== null && confidence < 0.25
export const ms = (value) => `${value < 10 ? oneDigit.format(value) : whole.format(value)} ms`
export const rate = (value) =>
  `${value < 10 ? oneDigit.format(value) : whole.format(value)} images/s`

export function duration(valueMs) {
  if (valueMs < 1000) return ms(Math.max(0, valueMs))
  const seconds = valueMs / 1000
  if (seconds < 60) return `${oneDigit.format(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function clockTime(iso) {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return ''
  const sameDay = date.toDateString() === new Date().toDateString()
  return sameDay
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })
}
