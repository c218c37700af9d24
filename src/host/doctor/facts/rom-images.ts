/** One image of an option ROM. */
export interface RomImage {
  /** Vendor and device that it is for, `10de:2b85`. */
  readonly id: string;
  /** 0 for BIOS, 3 for UEFI. */
  readonly codeType: number;
}

const SIGNATURE = 0xaa55;
const MOST_IMAGES = 16;

/**
 * The images of an option ROM, or what is wrong with it. Source: PCI Firmware Specification 3.0, 5.1: each image begins
 * with 55 AA, and the word at 0x18 leads to its PCIR structure with vendor, device and length in units of 512 bytes.
 */
export function readRomImages(bytes: Uint8Array): readonly RomImage[] | string {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const images: RomImage[] = [];
  let at = 0;
  while (at + 0x1a <= bytes.length && images.length < MOST_IMAGES) {
    if (data.getUint16(at, true) !== SIGNATURE) break;
    const pcir = at + data.getUint16(at + 0x18, true);
    if (pcir + 0x16 > bytes.length || ascii(bytes, pcir) !== "PCIR")
      return `the image at ${at} has no PCIR structure`;
    images.push({
      id: `${hex(data.getUint16(pcir + 4, true))}:${hex(data.getUint16(pcir + 6, true))}`,
      codeType: data.getUint8(pcir + 0x14),
    });
    const length = data.getUint16(pcir + 0x10, true) * 512;
    const last = (data.getUint8(pcir + 0x15) & 0x80) !== 0;
    if (last || length === 0) break;
    at += length;
  }
  if (images.length > 0) return images;
  const head = [...bytes.subarray(0, 2)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length === 0 ? "it is empty" : `it begins with ${head} and not with 55 aa`;
}

const ascii = (bytes: Uint8Array, at: number): string => String.fromCodePoint(...bytes.subarray(at, at + 4));
const hex = (value: number): string => value.toString(16).padStart(4, "0");
