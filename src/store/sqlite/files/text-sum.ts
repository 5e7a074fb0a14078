import { crc32 } from 'node:zlib';

/** Checksum of a line in the marker file, by which lines that were cut off or have rotted are recognised. */
export function textSum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
