export { Sender } from './sender.ts';
