export type { Address, Channel, Listener, ListenOptions, Transport } from './transport.ts';
