export { lww } from './lww.ts';
export type { Resolver } from './resolver.ts';
