import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../../core/ids/index.ts';
import { createDeviceKey, type DeviceKey, parseDeviceKey } from '../../net/tcp/index.ts';
import { syncFolder, toFileError } from '../files/index.ts';

function deviceKeyPath(databasePath: string): string {
  return `${databasePath}.device`;
}

/**
 * The key of this device, created beside the database at the first start. A file that holds none, because it is damaged, is set aside,
 * and a new key takes its place: to peers this is another device, which they know by its name and its replica id. Throws as
 * `renewDeviceKey` does.
 */
export async function loadDeviceKey(
  databasePath: string,
  random: Random,
  onNotice: (text: string) => void,
): Promise<DeviceKey> {
  const path = deviceKeyPath(databasePath);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toFileError(error, path);
    return renewDeviceKey(databasePath, random);
  }
  const held = parseDeviceKey(text);
  if (held !== undefined) return held;
  const aside = `${path}.damaged`;
  await rename(path, aside).catch((error: unknown) => {
    throw toFileError(error, path);
  });
  const key = await renewDeviceKey(databasePath, random);
  onNotice(
    `the file with the key of this device was damaged and is ${aside} now; the node made a new key, and its peers see a new device`,
  );
  return key;
}

/**
 * Replaces the device key: a copied disk must not pass for the device that it was copied from (R9). The key is durable on return,
 * because a power cut could otherwise leave an empty file under the final name, and the node would become another device. Throws
 * PersistenceError (DISK_FULL, PERMISSION_DENIED, IO_FAILED).
 */
export async function renewDeviceKey(databasePath: string, random: Random): Promise<DeviceKey> {
  const key = createDeviceKey(random);
  const path = deviceKeyPath(databasePath);
  // Only the owner of the database writes it, so what was left behind is nobody's.
  const draft = `${path}.tmp`;
  try {
    await rm(draft, { force: true });
    await writeFile(draft, key.serialize(), { mode: 0o600, flag: 'wx', flush: true });
    await rename(draft, path);
    await syncFolder(dirname(databasePath));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw toFileError(error, path);
  }
  return key;
}
