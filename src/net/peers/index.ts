export { addressText } from '../address-text.ts';
export { chooseLinks, toMeshMember } from './mesh.ts';
export { Supervisor } from './supervisor.ts';
