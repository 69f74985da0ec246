// Plain pixel buffers of the scene drawing, and a few operations without a library.

/** f32 [height * width * 3], 0-255, not clipped. */
export interface Canvas {
  width: number
  height: number
  rgb: Float32Array
}
/** u8 [height * width * 4], alpha not multiplied in. */
export interface Sprite {
  width: number
  height: number
  rgba: Uint8Array
}
export type Rgb = readonly [number, number, number]

export const createCanvas = (width: number, height: number): Canvas => ({
  width,
  height,
  rgb: new Float32Array(width * height * 3)
})

export function toBytes({ rgb }: Canvas): Uint8Array {
  return new Uint8Array(new Uint8ClampedArray(rgb).buffer)
}

/** Lays a sprite over the canvas with the top left corner at (left, top); parts outside are cut. */
export function overlay(canvas: Canvas, sprite: Sprite, left: number, top: number): void {
  for (let y = Math.max(0, -top); y < sprite.height && y + top < canvas.height; y++) {
    for (let x = Math.max(0, -left); x < sprite.width && x + left < canvas.width; x++) {
      const from = 4 * (y * sprite.width + x)
      const alpha = sprite.rgba[from + 3]! / 255
      if (alpha === 0) continue
      const to = 3 * ((y + top) * canvas.width + x + left)
      for (let c = 0; c < 3; c++)
        canvas.rgb[to + c] = canvas.rgb[to + c]! * (1 - alpha) + sprite.rgba[from + c]! * alpha
    }
  }
}

/** Copies a part into a new canvas; edges outside are moved in. */
export function cutOut(
  { width, height, rgb }: Canvas,
  edges: { left: number; top: number; right: number; bottom: number }
): Canvas {
  const [left, top] = [Math.max(0, edges.left), Math.max(0, edges.top)]
  const part = createCanvas(
    Math.min(width, edges.right) - left,
    Math.min(height, edges.bottom) - top
  )
  for (let y = 0; y < part.height; y++) {
    const from = 3 * ((top + y) * width + left)
    part.rgb.set(rgb.subarray(from, from + 3 * part.width), 3 * part.width * y)
  }
  return part
}

/** Mean brightness of the visible part, 0-255; undefined for an invisible sprite. */
export function brightnessOf({ rgba }: Sprite): number | undefined {
  let sum = 0
  let weight = 0
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3]!
    sum += alpha * luma(rgba[i]!, rgba[i + 1]!, rgba[i + 2]!)
    weight += alpha
  }
  return weight === 0 ? undefined : sum / weight
}

export const luma = (r: number, g: number, b: number): number => 0.299 * r + 0.587 * g + 0.114 * b
