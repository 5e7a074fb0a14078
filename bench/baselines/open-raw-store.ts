import type { BaselineName } from '../bench-case.ts';
import { openChainedStore } from './chained-store.ts';
import type { Durability, RawStore, ReceivingStore } from './raw-store.ts';
import { openRowStore } from './row-store.ts';

export function openRawStore(name: BaselineName, path: string, durability: Durability): RawStore & ReceivingStore {
  return name === 'chained' ? openChainedStore(path, durability) : openRowStore(path, durability);
}
