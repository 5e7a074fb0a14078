export { Receiver } from './receiver.ts';
