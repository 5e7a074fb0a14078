export { chooseLinks, type MeshMember, toMeshMember } from './mesh.ts';
export { Supervisor, type SupervisorDeps, type SupervisorOptions } from './supervisor.ts';
export { addressText, type PeerError, type PeerStatus } from './target.ts';
