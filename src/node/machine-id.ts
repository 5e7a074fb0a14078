import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * An id of this machine, by which a database file that was copied to another one is noticed: the system's own id if there is
 * one (freedesktop.org machine-id), else the host name.
 */
export function readMachineId(): string {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim();
      if (id !== '') return id;
    } catch {
      // Other systems have no such file.
    }
  }
  return hostname();
}
