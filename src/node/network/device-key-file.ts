import { randomUUID } from 'node:crypto';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../../core/ids/index.ts';
import { createDeviceKey, type DeviceKey, parseDeviceKey } from '../../net/tcp/index.ts';

export function deviceKeyPath(databasePath: string): string {
  return `${databasePath}.device`;
}

/** The key of this device, made and kept beside the database at the first start. Throws CONFIG_ERROR / FILE_INVALID. */
export async function loadDeviceKey(databasePath: string, random: Random): Promise<DeviceKey> {
  try {
    return parseDeviceKey(await readFile(deviceKeyPath(databasePath), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return renewDeviceKey(databasePath, random);
  }
}

/**
 * A new key in the place of the old: a copied disk must not pass for the device that it was copied from (R9). Durable on return:
 * an empty file under the final name, which a power cut would else leave, keeps the node off its network.
 */
export async function renewDeviceKey(databasePath: string, random: Random): Promise<DeviceKey> {
  const key = createDeviceKey(random);
  const draft = `${deviceKeyPath(databasePath)}.${randomUUID()}.tmp`;
  await writeFile(draft, key.serialize(), { mode: 0o600, flag: 'wx', flush: true });
  await rename(draft, deviceKeyPath(databasePath));
  await syncFolder(dirname(databasePath));
  return key;
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; there, the file system's own log keeps its entries.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
