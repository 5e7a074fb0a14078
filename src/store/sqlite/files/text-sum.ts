import { crc32 } from 'node:zlib';

/** Tells a line of a marker file that is whole from one that was cut off or has rotted. */
export function textSum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
