export { chooseLinks, toMeshMember } from './mesh.ts';
export { Supervisor } from './supervisor.ts';
export { addressText } from './target.ts';
