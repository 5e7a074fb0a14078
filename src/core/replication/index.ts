export type {
  ForkProof,
  LiveSetVerdict,
  PlacedDot,
  Reached,
  RemoteClaim,
  RemoteOutcome,
  RemoteVersion,
} from './outcomes.ts';
