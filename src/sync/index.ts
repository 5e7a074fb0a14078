export type { SessionEffect, SessionEvent, SessionInput } from './effects.ts';
export type { SyncCollection, SyncReplica } from './replica-port.ts';
export { RoundGate } from './round-gate.ts';
export { PROTOCOL, Session, type StreamLoad, speaksWith } from './session.ts';
export { CAPABILITIES, createSessionCodec } from './session-codec.ts';
export type { SessionDeps, SessionTimes } from './session-context.ts';
export { type SessionCodec, type SessionLoad, SessionRunner, type SessionRunnerDeps } from './session-runner.ts';
export { collectionDigest, DigestCache, knowledgeDigest } from './summary.ts';
export { SyncHost, type SyncHostDeps } from './sync-host.ts';
