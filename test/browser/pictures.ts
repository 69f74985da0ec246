// Pictures for the page tests, drawn here: coloured shapes that differ from each other.
import sharp from 'sharp'

export interface NamedPicture {
  name: string
  mimeType: string
  buffer: Buffer
}

const shapes = [
  '<circle cx="50" cy="50" r="38"/>',
  '<rect x="14" y="22" width="72" height="56" rx="8"/>',
  '<path d="M50 8 92 88H8Z"/>',
  '<path d="M20 20h60L64 50l16 30H20l16-30Z"/>'
]

/** The same number always draws the same bytes. */
export async function drawPicture(
  number: number,
  { width = 240, height = 240 } = {}
): Promise<Buffer> {
  const hue = (number * 67) % 360
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="${width}" height="${height}" preserveAspectRatio="none"><rect width="100" height="100" fill="hsl(${(hue + 40) % 360} 24% 88%)"/><g fill="hsl(${hue} 70% 42%)">${shapes[number % shapes.length]}</g><circle cx="50" cy="${44 + (number % 9)}" r="${8 + (number % 5)}" fill="white"/></svg>`
  return sharp(Buffer.from(svg)).png().toBuffer()
}

export async function namedPicture(
  number: number,
  name = `picture-${number}.png`
): Promise<NamedPicture> {
  return { name, mimeType: 'image/png', buffer: await drawPicture(number) }
}

/** Stored lying (300 x 150, left half red, right half blue), shown standing (150 x 300, red above blue) because of its EXIF orientation. */
export async function turnedPicture(): Promise<NamedPicture> {
  const blue = await sharp({
    create: { width: 150, height: 150, channels: 3, background: '#0000ff' }
  })
    .png()
    .toBuffer()
  const buffer = await sharp({
    create: { width: 300, height: 150, channels: 3, background: '#ff0000' }
  })
    .composite([{ input: blue, left: 150, top: 0 }])
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  return { name: 'turned.jpg', mimeType: 'image/jpeg', buffer }
}
