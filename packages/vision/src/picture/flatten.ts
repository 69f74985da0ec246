// Puts a transparent picture on a plain ground, so that the hidden colour under alpha 0 has no
// effect.

export interface Color {
  r: number
  g: number
  b: number
}

export const WHITE: Color = { r: 255, g: 255, b: 255 }
export const DARK_GREY: Color = { r: 64, g: 64, b: 64 }
const NEAR_WHITE = 225

/**
 * Returns white; dark grey where most of the visible part (by alpha) is near white and would
 * vanish. `rgba`: u8 [h*w*4].
 */
export function chooseBackground(rgba: Uint8Array): Color {
  let visible = 0
  let nearWhite = 0
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3]!
    visible += alpha
    if (Math.min(rgba[i]!, rgba[i + 1]!, rgba[i + 2]!) >= NEAR_WHITE) nearWhite += alpha
  }
  return nearWhite * 2 > visible ? DARK_GREY : WHITE
}

/** u8 [h*w*4] -> u8 [h*w*3]. */
export function flattenAlpha(rgba: Uint8Array, { r, g, b }: Color): Uint8Array {
  const pixels = rgba.length / 4
  const rgb = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) {
    const alpha = rgba[4 * i + 3]!
    const rest = 255 - alpha
    rgb[3 * i] = (rgba[4 * i]! * alpha + r * rest + 127) / 255
    rgb[3 * i + 1] = (rgba[4 * i + 1]! * alpha + g * rest + 127) / 255
    rgb[3 * i + 2] = (rgba[4 * i + 2]! * alpha + b * rest + 127) / 255
  }
  return rgb
}

/** u8 [h*w*4]. */
export function isOpaque(rgba: Uint8Array): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i]! < 255) return false
  return true
}
