export { chooseLinks, type MeshMember, toMeshMember } from './mesh.ts';
export { Supervisor, type SupervisorDeps, type SupervisorOptions } from './supervisor.ts';
export type { PeerError, PeerStatus } from './target.ts';
