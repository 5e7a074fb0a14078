export { openRawStore } from './open-raw-store.ts';
export type { Durability, RawChange, RawStore, ReceivingStore } from './raw-store.ts';
export { type RawReceiver, type RawSender, receiveRaw, serveRaw } from './raw-sync.ts';
