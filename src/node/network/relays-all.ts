import type { CollectionName } from '../../core/ids/index.ts';
import type { LocalDatabase } from '../../database/index.ts';

/** Whether a node keeps every collection at present: its configuration leaves none out, and none is frozen (R12). */
export function relaysAll(configured: readonly CollectionName[] | null, { replica }: LocalDatabase): boolean {
  if (configured !== null) return false;
  for (const { state } of replica.collections()) if (state === 'frozen') return false;
  return true;
}
