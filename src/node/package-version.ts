import { readFileSync } from 'node:fs';

let version: string | undefined;

/** The version of this package. It finds itself by name, because compiled files lie elsewhere. */
export function packageVersion(): string {
  version ??= (
    JSON.parse(readFileSync(new URL(import.meta.resolve('entgldb/package.json')), 'utf8')) as { version: string }
  ).version;
  return version;
}
