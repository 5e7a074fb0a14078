import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { CollectionDefinition } from '../../core/replication/index.ts';
import { type Check, type Dot, fingerprintToBytes, type Known, sortedByReplica } from '../../core/version/index.ts';
import { invalidMessage, messageTooLarge } from './invalid-message.ts';
import type {
  ClaimedCollection,
  CollectionSum,
  HelloMessage,
  Message,
  SentVersion,
  VersionsMessage,
} from './message.ts';
import {
  type CollectionSumsSchema,
  type FieldStamps,
  FieldStampsSchema,
  type FrameSchema,
  type Hello,
  HelloSchema,
  type Line,
  LineSchema,
  RangesSchema,
  type Version,
  VersionSchema,
  type Versions,
  VersionsSchema,
} from './wire_pb.ts';
import type { WireLimits } from './wire-limits.ts';

export type WireMessage = NonNullable<MessageInitShape<typeof FrameSchema>['message']>;
/** Gives the number of a replica in the dictionary of this direction. */
export type NumberOf = (replica: ReplicaId) => number;

/** The message in the form of wire.proto. Throws MESSAGE_TOO_LARGE, or MESSAGE_INVALID for text that is no UTF-8. */
export function messageToWire(message: Message, numberOf: NumberOf, limits: WireLimits): WireMessage {
  switch (message.kind) {
    case 'versions':
      return { case: 'versions', value: versionsToWire(message, numberOf, limits) };
    case 'hello':
      return { case: 'hello', value: helloToWire(message, numberOf) };
    case 'definitions':
      return { case: 'definitions', value: { definition: message.collections.map(definitionToWire) } };
    case 'summary': {
      const { digest, collections } = message;
      return { case: 'summary', value: { round: BigInt(message.round), digest, collections: [...collections] } };
    }
    case 'differ':
      return { case: 'differ', value: { round: BigInt(message.round), collections: [...message.collections] } };
    case 'want': {
      const fingerprint = fingerprintToBytes(message.fingerprint);
      const knowledge = knowledgeToWire(message.knowledge, numberOf);
      const resume = seqsToWire(message.resume ?? new Map(), numberOf);
      return { case: 'want', value: { collection: message.collection, knowledge, fingerprint, resume } };
    }
    case 'ranges': {
      const range = message.ranges.map((part) => ({
        ...optionalKey('upTo', part.upTo),
        fingerprint: fingerprintToBytes(part.fingerprint),
      }));
      return {
        case: 'ranges',
        value: create(RangesSchema, { ...exchangeOf(message), ...optionalKey('after', message.after), range }),
      };
    }
    case 'narrow': {
      const range = message.ranges.map(({ after, upTo }) => ({
        ...optionalKey('after', after),
        ...optionalKey('upTo', upTo),
      }));
      return { case: 'narrow', value: { ...exchangeOf(message), range } };
    }
    case 'check': {
      const version = message.versions.map((named) => keyAndDotToWire(named, numberOf));
      return { case: 'check', value: { ...exchangeOf(message), version, last: message.last } };
    }
    case 'missing': {
      const version = message.versions.map((named) => keyAndDotToWire(named, numberOf));
      return { case: 'missing', value: { ...exchangeOf(message), version } };
    }
    case 'claim':
      return { case: 'claim', value: { collection: message.collections.map((part) => claimedToWire(part, numberOf)) } };
    case 'ack':
      return { case: 'ack', value: { batch: BigInt(message.batch) } };
    case 'fork': {
      const [checkA, checkB] = message.checks.map(checkToBytes) as [Uint8Array, Uint8Array];
      const replica = numberOf(message.replica);
      return { case: 'fork', value: { replica, seq: BigInt(message.seq), checkA, checkB } };
    }
    case 'ping':
    case 'pong':
      return { case: message.kind, value: { nonce: BigInt(message.nonce), wallMs: wallToWire(message.wallMs) } };
    case 'verify':
      return { case: 'verify', value: { nonce: BigInt(message.nonce), digest: message.digest } };
    case 'verified':
      return { case: 'verified', value: { nonce: BigInt(message.nonce), ...sumsToWire(message.sums) } };
    case 'goodbye':
      return { case: 'goodbye', value: { reason: message.reason } };
    default:
      return message satisfies never;
  }
}

function sumsToWire(sums: readonly CollectionSum[] | null): {
  readonly sums?: MessageInitShape<typeof CollectionSumsSchema>;
} {
  if (sums === null) return {};
  const collection = sums.map(({ fingerprint, ...sum }) => ({
    ...sum,
    ...(fingerprint === null ? {} : { fingerprint: fingerprintToBytes(fingerprint) }),
  }));
  return { sums: { collection } };
}

function versionsToWire(message: VersionsMessage, numberOf: NumberOf, limits: WireLimits): Versions {
  if (message.versions.length > limits.messageVersionsMax) {
    throw messageTooLarge(
      'versions',
      `it has ${message.versions.length} of at most ${limits.messageVersionsMax} versions`,
    );
  }
  const wire = create(VersionsSchema);
  wire.batch = BigInt(message.batch);
  wire.more = message.more;
  if (message.reached !== undefined) wire.reached = BigInt(message.reached);
  let before: CollectionName | undefined;
  for (const version of message.versions) {
    wire.version.push(versionToWire(version, before, numberOf));
    before = version.collection;
  }
  return wire;
}

/** Fields are set one by one: this is the hot path, and `create` with an initial value takes twice as long. */
function versionToWire(version: SentVersion, before: CollectionName | undefined, numberOf: NumberOf): Version {
  const wire = create(VersionSchema);
  if (version.collection !== before) wire.collection = version.collection;
  wire.key = version.key;
  wire.replica = numberOf(version.replica);
  wire.seq = BigInt(version.seq);
  if (version.first !== version.seq) wire.first = BigInt(version.first);
  wire.hlc = BigInt(version.hlc);
  for (const { replica, first, last } of version.context) wire.context.push(lineToWire(numberOf(replica), first, last));
  if (version.value !== null) wire.value = textToBytes(version.value);
  if (version.stamps !== null) wire.stamps = stampsToWire(version.stamps, numberOf);
  wire.format = version.format;
  return wire;
}

function lineToWire(replica: number, first: number, last: number): Line {
  const wire = create(LineSchema);
  wire.replica = replica;
  if (first !== last) wire.first = BigInt(first);
  wire.last = BigInt(last);
  return wire;
}

function stampsToWire(stamps: NonNullable<SentVersion['stamps']>, numberOf: NumberOf): FieldStamps {
  const stamp = stamps.map(({ path, replica, seq, hlc }) => ({
    path,
    replica: numberOf(replica),
    seq: BigInt(seq),
    hlc: BigInt(hlc),
  }));
  return create(FieldStampsSchema, { stamp });
}

/** Half of a surrogate pair would become another text on the way, and so another version under the same dot. */
function textToBytes(text: string): Uint8Array {
  if (!text.isWellFormed()) throw invalidMessage('version.value', 'holds half of a surrogate pair');
  return Buffer.from(text);
}

function helloToWire(message: HelloMessage, numberOf: NumberOf): Hello {
  return create(HelloSchema, {
    protocolMin: message.protocol.min,
    protocolMax: message.protocol.max,
    node: message.node,
    replica: numberOf(message.replica),
    life: message.life,
    wallMs: wallToWire(message.wallMs),
    capabilities: [...message.capabilities],
    resolvers: [...message.resolvers].map(([collection, resolver]) => ({ collection, resolver })),
    ...(message.collections === null ? {} : { collections: { collection: [...message.collections] } }),
  });
}

function definitionToWire({ collection, resolver, version, schema }: CollectionDefinition) {
  return {
    collection,
    resolver,
    ...(version === null ? {} : { version: BigInt(version) }),
    ...(schema === null ? {} : { schema: Buffer.from(schema, 'hex') }),
  };
}

function claimedToWire(part: ClaimedCollection, numberOf: NumberOf) {
  return {
    collection: part.collection,
    knowledge: knowledgeToWire(part.knowledge, numberOf),
    purged: seqsToWire(part.purged, numberOf),
    exchange: BigInt(part.exchange),
    complete: part.complete,
  };
}

function knowledgeToWire(knowledge: ReadonlyMap<ReplicaId, Known>, numberOf: NumberOf) {
  return sortedByReplica(knowledge).map(([replica, { seq, check }]) => ({
    replica: numberOf(replica),
    seq: BigInt(seq),
    ...(check === null ? {} : { check: checkToBytes(check) }),
  }));
}

function seqsToWire(seqs: ReadonlyMap<ReplicaId, number>, numberOf: NumberOf) {
  return sortedByReplica(seqs).map(([replica, seq]) => ({ replica: numberOf(replica), seq: BigInt(seq) }));
}

function keyAndDotToWire({ key, dot }: { key: DocumentKey; dot: Dot }, numberOf: NumberOf) {
  return { key, replica: numberOf(dot.replica), seq: BigInt(dot.seq) };
}

function exchangeOf(message: { readonly collection: CollectionName; readonly exchange: number }) {
  return { collection: message.collection, exchange: BigInt(message.exchange) };
}

function optionalKey<Name extends string>(name: Name, key: DocumentKey | null): { [N in Name]?: DocumentKey } {
  return key === null ? {} : ({ [name]: key } as { [N in Name]: DocumentKey });
}

function checkToBytes(check: Check): Uint8Array {
  return Buffer.from(check, 'hex');
}

function wallToWire(wallMs: number): bigint {
  return BigInt(Math.round(wallMs));
}
