export { createDecoder, createEncoder, ZSTD_CAPABILITY } from './codec.ts';
export type {
  AckMessage,
  CheckMessage,
  ClaimedCollection,
  ClaimMessage,
  CollectionSum,
  DefinitionsMessage,
  DifferMessage,
  FetchMessage,
  GoodbyeReason,
  HelloMessage,
  Message,
  MissingMessage,
  NarrowMessage,
  RangesMessage,
  SummaryMessage,
  VersionsMessage,
  WantMessage,
} from './message.ts';
export { WIRE_LIMITS } from './wire-limits.ts';
