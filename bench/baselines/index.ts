export { openChainedStore } from './chained-store.ts';
export type { Durability, OpenRawStore, RawChange, RawStore, ReceivingStore } from './raw-store.ts';
export { type RawReceiver, type RawSender, receiveRaw, serveRaw } from './raw-sync.ts';
export { openRowStore } from './row-store.ts';
