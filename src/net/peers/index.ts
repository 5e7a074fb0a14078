export { addressText } from '../address-text.ts';
export type { LinkTrouble } from './link-troubles.ts';
export { chooseLinks, toMeshMember } from './mesh.ts';
export { Supervisor } from './supervisor.ts';
