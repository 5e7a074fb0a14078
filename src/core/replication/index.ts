export { type CollectionDefinition, compareDefinitions, type DefinitionMismatch } from './definitions.ts';
export type {
  ForkProof,
  LiveSetVerdict,
  PlacedDot,
  Reached,
  RemoteClaim,
  RemoteOutcome,
  RemoteVersion,
} from './outcomes.ts';
export {
  FRAME_TOO_LARGE,
  OWN_FAILURE,
  PEER_SAID_GOODBYE,
  type PeerTrouble,
  restlessRemedy,
} from './peer-trouble.ts';
