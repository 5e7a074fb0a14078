import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/**
 * Whether the file that lies under `path` now is the one that lay there at the call. An open file that was removed or replaced
 * can still be written, and all of it is lost when it is closed.
 */
export function createInPlaceTest(path: string): () => Promise<boolean> {
  const { dev, ino } = statSync(path, { bigint: true });
  return async () => {
    try {
      const now = await stat(path, { bigint: true });
      return now.dev === dev && now.ino === ino;
    } catch {
      // What cannot be looked at is not in its place.
      return false;
    }
  };
}
