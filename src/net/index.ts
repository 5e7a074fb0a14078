export { ChannelEnd } from './channel-end.ts';
export type { Address, Channel, DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
