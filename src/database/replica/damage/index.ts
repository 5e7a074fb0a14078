export { readablePage } from './damage.ts';
export { DamagedCollections } from './damaged-collections.ts';
