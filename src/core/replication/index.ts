export type { ForkProof, LiveSetVerdict, PlacedDot, RemoteClaim, RemoteOutcome, RemoteVersion } from './outcomes.ts';
