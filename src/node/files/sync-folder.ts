import { open } from 'node:fs/promises';

/** Makes the entries of a folder durable. Windows cannot open a folder; there the file system's own log protects them. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
