export type { SessionEvent, SessionInput } from './effects.ts';
export { RoundGate } from './round-gate.ts';
export { PROTOCOL, Session, speaksWith } from './session.ts';
export { CAPABILITIES, createSessionCodec } from './session-codec.ts';
export type { SessionTimes } from './session-context.ts';
export { type SessionCodec, SessionRunner } from './session-runner.ts';
export { knowledgeDigest } from './summary.ts';
export { SyncHost } from './sync-host.ts';
