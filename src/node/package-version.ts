import { readFileSync } from 'node:fs';

let version: string | undefined;

/** Of this package, which finds itself by name: its files lie elsewhere when they are compiled. */
export function packageVersion(): string {
  version ??= (
    JSON.parse(readFileSync(new URL(import.meta.resolve('entgldb/package.json')), 'utf8')) as { version: string }
  ).version;
  return version;
}
