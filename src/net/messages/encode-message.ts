import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { CollectionDefinition } from '../../core/replication/index.ts';
import { type Check, type Dot, fingerprintToBytes, type Known, sortedByReplica } from '../../core/version/index.ts';
import type {
  ClaimedCollection,
  CollectionSum,
  HelloMessage,
  Message,
  NarrowMessage,
  VersionsMessage,
} from './message.ts';
import {
  type CollectionSumsSchema,
  type FrameSchema,
  type Hello,
  HelloSchema,
  KeyRangeSchema,
  RangesSchema,
} from './wire_pb.ts';

export type WireMessage = NonNullable<MessageInitShape<typeof FrameSchema>['message']>;
/** Returns the number of a replica in the dictionary of this direction, or 0 if the dictionary is full. */
export type NumberOf = (replica: ReplicaId) => number;

/** Converts a message to the form of wire.proto; `Versions` are written by hand. */
export function messageToWire(message: Exclude<Message, VersionsMessage>, numberOf: NumberOf): WireMessage {
  switch (message.kind) {
    case 'hello':
      return { case: 'hello', value: helloToWire(message, numberOf) };
    case 'definitions':
      return { case: 'definitions', value: { definition: message.collections.map(definitionToWire) } };
    case 'summary': {
      const { digest, collections, more = false } = message;
      return { case: 'summary', value: { round: BigInt(message.round), digest, collections: [...collections], more } };
    }
    case 'differ': {
      const { collections, busy = false } = message;
      return { case: 'differ', value: { round: BigInt(message.round), collections: [...collections], busy } };
    }
    case 'want': {
      const fingerprint = fingerprintToBytes(message.fingerprint);
      const knowledge = knowledgeToWire(message.knowledge, numberOf);
      const resume = seqsToWire(message.resume ?? new Map(), numberOf);
      const gaps = message.gaps ?? false;
      return { case: 'want', value: { collection: message.collection, knowledge, fingerprint, resume, gaps } };
    }
    case 'ranges': {
      const range = message.ranges.map((part) => ({
        ...optionalKey('upTo', part.upTo),
        fingerprint: fingerprintToBytes(part.fingerprint),
      }));
      const gaps = message.gaps ?? false;
      return {
        case: 'ranges',
        value: create(RangesSchema, { ...exchangeOf(message), ...optionalKey('after', message.after), range, gaps }),
      };
    }
    case 'narrow':
      return { case: 'narrow', value: { ...exchangeOf(message), range: message.ranges.map(keyRangeToWire) } };
    case 'fetch': {
      const range = message.ranges.map(keyRangeToWire);
      return { case: 'fetch', value: { ...exchangeOf(message), range, last: message.last } };
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
    case 'ended':
      return { case: 'ended', value: { end: knowledgeToWire(message.ends, numberOf) } };
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

function helloToWire(message: HelloMessage, numberOf: NumberOf): Hello {
  return create(HelloSchema, {
    protocolMin: message.protocol.min,
    protocolMax: message.protocol.max,
    node: message.node,
    replica: numberOf(message.replica),
    startId: message.startId,
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

function keyRangeToWire({ after, upTo }: NarrowMessage['ranges'][number]) {
  return create(KeyRangeSchema, { ...optionalKey('after', after), ...optionalKey('upTo', upTo) });
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
