import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../../core/ids/index.ts';
import { createDeviceKey, type DeviceKey, parseDeviceKey } from '../../net/tcp/index.ts';
import { syncFolder, toFileError } from '../files/index.ts';

function deviceKeyPath(databasePath: string): string {
  return `${databasePath}.device`;
}

/** The key of this device, created beside the database at the first start. Throws CONFIG_ERROR / FILE_INVALID, and as `renewDeviceKey` does. */
export async function loadDeviceKey(databasePath: string, random: Random): Promise<DeviceKey> {
  const path = deviceKeyPath(databasePath);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toFileError(error, path);
    return renewDeviceKey(databasePath, random);
  }
  return parseDeviceKey(text, path);
}

/**
 * Replaces the device key: a copied disk must not pass for the device that it was copied from (R9). The key is durable on return,
 * because a power cut could otherwise leave an empty file under the final name, which would keep the node off its network. Throws
 * PersistenceError (DISK_FULL, PERMISSION_DENIED, IO_FAILED).
 */
export async function renewDeviceKey(databasePath: string, random: Random): Promise<DeviceKey> {
  const key = createDeviceKey(random);
  const path = deviceKeyPath(databasePath);
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, key.serialize(), { mode: 0o600, flag: 'wx', flush: true });
    await rename(draft, path);
    await syncFolder(dirname(databasePath));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw toFileError(error, path);
  }
  return key;
}
