// Numbers written as arithmetic, like "1.0/255.0": read by a small parser, never evaluated as code.

/**
 * undefined when the text has other characters than + - * / ( ) and decimal numbers, or has no
 * finite value.
 */
export function parseArithmetic(text: string): number | undefined {
  const tokens = text.match(/\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[-+*/()]|\S/g) ?? []
  if (tokens.length === 0 || tokens.length > 200) return undefined
  let at = 0

  function sum(): number {
    let value = product()
    while (tokens[at] === '+' || tokens[at] === '-')
      value = tokens[at++] === '+' ? value + product() : value - product()
    return value
  }
  function product(): number {
    let value = factor()
    while (tokens[at] === '*' || tokens[at] === '/')
      value = tokens[at++] === '*' ? value * factor() : value / factor()
    return value
  }
  function factor(): number {
    const token = tokens[at++]
    if (token === '-') return -factor()
    if (token === '+') return factor()
    if (token !== '(')
      return token !== undefined && /^[\d.]/.test(token) ? Number(token) : Number.NaN
    const value = sum()
    return tokens[at++] === ')' ? value : Number.NaN
  }

  const value = sum()
  return at === tokens.length && Number.isFinite(value) ? value : undefined
}
