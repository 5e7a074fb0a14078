import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import type { CollectionDefinition } from '../../core/replication/index.ts';
import type { Dot, Known } from '../../core/version/index.ts';
import type { ReplicaTable } from './dictionary.ts';
import { invalidMessage } from './invalid-message.ts';
import type {
  ClaimedCollection,
  CollectionSum,
  ForkMessage,
  GoodbyeReason,
  HelloMessage,
  Message,
  NarrowMessage,
  RangesMessage,
  SummaryMessage,
} from './message.ts';
import {
  parseCheckBytes,
  parseCollection,
  parseCount,
  parseFingerprint,
  parseInteger,
  parseKey,
  parseOptionalKey,
  parsePositive,
} from './parse-fields.ts';
import type * as wire from './wire_pb.ts';
import { HELLO_TEXT_MAX } from './wire-limits.ts';

const DIGEST_BYTES = 16;
const GOODBYE_REASONS: ReadonlySet<string> = new Set<GoodbyeReason>([
  'closing',
  'duplicate',
  'identity',
  'damage',
  'wants',
  'restored',
  'protocol',
  'self',
  'busy',
  'other',
]);

/** What the generated decoder reads; `Versions` are read by hand. */
export type DecodedMessage = Exclude<wire.Frame['message'], { case: 'versions' }>;

/** The message of a frame, checked against the rules of wire.proto; undefined for a kind that this release does not know. */
export function messageFromWire(message: DecodedMessage, table: ReplicaTable): Message | undefined {
  switch (message.case) {
    case undefined:
      return undefined;
    case 'hello':
      return parseHello(message.value, table);
    case 'summary':
      return parseSummary(message.value);
    case 'differ': {
      const collections = parseCollections(message.value.collections, 'differ.collections');
      const round = parseCount(message.value.round, 'differ.round');
      return { kind: 'differ', round, collections, ...(message.value.busy && { busy: true }) };
    }
    case 'want': {
      const collection = parseCollection(message.value.collection, 'want.collection');
      const knowledge = parseKnowledge(message.value.knowledge, table, 'want.knowledge');
      const fingerprint = parseFingerprint(message.value.fingerprint, 'want.fingerprint');
      const resume = parseSeqs(message.value.resume, table, 'want.resume');
      const resumed = resume.size === 0 ? {} : { resume };
      return { kind: 'want', collection, knowledge, fingerprint, ...resumed, ...gapsOf(message.value) };
    }
    case 'ranges':
      return parseRanges(message.value);
    case 'narrow': {
      const ranges = parseKeyRanges(message.value.range, 'narrow.range');
      return { kind: 'narrow', ...parseExchange(message.value, 'narrow'), ranges };
    }
    case 'fetch': {
      const ranges = parseKeyRanges(message.value.range, 'fetch.range');
      return { kind: 'fetch', ...parseExchange(message.value, 'fetch'), ranges, last: message.value.last };
    }
    case 'check': {
      const versions = parseNamed(message.value.version, table, 'check.version');
      return { kind: 'check', ...parseExchange(message.value, 'check'), versions, last: message.value.last };
    }
    case 'missing': {
      const versions = parseNamed(message.value.version, table, 'missing.version');
      return { kind: 'missing', ...parseExchange(message.value, 'missing'), versions };
    }
    case 'claim':
      return { kind: 'claim', collections: parseClaimed(message.value.collection, table) };
    case 'ack':
      return { kind: 'ack', batch: parseCount(message.value.batch, 'ack.batch') };
    case 'fork':
      return parseFork(message.value, table);
    case 'ended':
      return { kind: 'ended', ends: parseKnowledge(message.value.end, table, 'ended.end') };
    case 'ping':
    case 'pong': {
      const nonce = parseCount(message.value.nonce, `${message.case}.nonce`);
      return { kind: message.case, nonce, wallMs: parseInteger(message.value.wallMs, `${message.case}.wall_ms`) };
    }
    case 'definitions':
      return { kind: 'definitions', collections: parseDefinitions(message.value.definition) };
    case 'verify': {
      const nonce = parseCount(message.value.nonce, 'verify.nonce');
      return { kind: 'verify', nonce, digest: parseDigest(message.value.digest, 'verify.digest') };
    }
    case 'verified': {
      const nonce = parseCount(message.value.nonce, 'verified.nonce');
      const { sums } = message.value;
      return { kind: 'verified', nonce, sums: sums === undefined ? null : parseSums(sums.collection) };
    }
    case 'goodbye':
      return { kind: 'goodbye', reason: parseReason(message.value.reason) };
    default:
      return message satisfies never;
  }
}

function parseHello(hello: wire.Hello, table: ReplicaTable): HelloMessage {
  const { protocolMin: min, protocolMax: max, collections } = hello;
  if (min < 1 || max < min) throw invalidMessage('hello.protocol', `is ${min} to ${max}`);
  return {
    kind: 'hello',
    protocol: { min, max },
    node: parseShortText(hello.node, 'hello.node'),
    replica: table.replica(hello.replica, 'hello.replica'),
    startId: parseShortText(hello.startId, 'hello.startId'),
    wallMs: parseInteger(hello.wallMs, 'hello.wall_ms'),
    collections: collections === undefined ? null : parseCollections(collections.collection, 'hello.collections'),
    capabilities: hello.capabilities.map((text) => parseShortText(text, 'hello.capabilities')),
    resolvers: parseResolvers(hello.resolvers),
  };
}

function parseResolvers(resolvers: readonly wire.Resolver[]): Map<string, string> {
  const parsed = new Map<string, string>();
  for (const { collection, resolver } of resolvers) {
    const name = parseCollection(collection, 'hello.resolvers.collection');
    if (parsed.has(name)) throw invalidMessage('hello.resolvers', 'names a collection twice');
    parsed.set(name, parseShortText(resolver, 'hello.resolvers.resolver'));
  }
  return parsed;
}

function parseDefinitions(definitions: readonly wire.Definition[]): CollectionDefinition[] {
  const parsed = definitions.map(({ collection, resolver, version, schema }) => ({
    collection: parseCollection(collection, 'definitions.collection'),
    resolver: parseShortText(resolver, 'definitions.resolver'),
    version: version === undefined ? null : parseCount(version, 'definitions.version'),
    schema: schema === undefined ? null : Buffer.from(parseDigest(schema, 'definitions.schema')).toString('hex'),
  }));
  requireDistinct(parsed, 'definitions');
  return parsed;
}

function parseSummary(summary: wire.Summary): SummaryMessage {
  const collections = summary.collections.map(({ collection, digest }) => ({
    collection: parseCollection(collection, 'summary.collections'),
    digest: parseDigest(digest, 'summary.collections.digest'),
  }));
  requireDistinct(collections, 'summary.collections');
  const round = parseCount(summary.round, 'summary.round');
  const digest = parseDigest(summary.digest, 'summary.digest');
  return { kind: 'summary', round, digest, collections, ...(summary.more && { more: true }) };
}

function parseSums(sums: readonly wire.CollectionSum[]): CollectionSum[] {
  const parsed = sums.map(({ collection, knowledge, fingerprint, damaged }) => ({
    collection: parseCollection(collection, 'verified.sums.collection'),
    knowledge: parseDigest(knowledge, 'verified.sums.knowledge'),
    fingerprint: fingerprint === undefined ? null : parseFingerprint(fingerprint, 'verified.sums.fingerprint'),
    damaged,
  }));
  requireDistinct(parsed, 'verified.sums');
  return parsed;
}

/** Returns a copy, so that a digest that is kept does not keep its whole frame in memory. */
function parseDigest(bytes: Uint8Array, where: string): Uint8Array {
  if (bytes.length !== DIGEST_BYTES) throw invalidMessage(where, `has ${bytes.length} bytes, not ${DIGEST_BYTES}`);
  return Uint8Array.from(bytes);
}

function parseRanges(message: wire.Ranges): RangesMessage {
  const after = parseOptionalKey(message.after, 'ranges.after');
  let end = after;
  const ranges = message.range.map((range, i) => {
    const upTo = parseOptionalKey(range.upTo, 'ranges.range.up_to');
    if (upTo === null && i < message.range.length - 1)
      throw invalidMessage('ranges.range', 'goes on after the last key');
    requireAscending(end, upTo, 'ranges.range');
    end = upTo;
    return { upTo, fingerprint: parseFingerprint(range.fingerprint, 'ranges.range.fingerprint') };
  });
  return { kind: 'ranges', ...parseExchange(message, 'ranges'), after, ranges, ...gapsOf(message) };
}

function parseKeyRanges(ranges: readonly wire.KeyRange[], where: string): NarrowMessage['ranges'] {
  return ranges.map((range) => {
    const after = parseOptionalKey(range.after, `${where}.after`);
    const upTo = parseOptionalKey(range.upTo, `${where}.up_to`);
    requireAscending(after, upTo, where);
    return { after, upTo };
  });
}

function gapsOf({ gaps }: { readonly gaps: boolean }): { readonly gaps?: true } {
  return gaps ? { gaps } : {};
}

function requireAscending(after: DocumentKey | null, upTo: DocumentKey | null, where: string): void {
  if (after !== null && upTo !== null && compareBytes(after, upTo) >= 0)
    throw invalidMessage(where, 'ends before it begins');
}

function parseNamed(
  versions: readonly wire.KeyAndDot[],
  table: ReplicaTable,
  where: string,
): { key: DocumentKey; dot: Dot }[] {
  return versions.map(({ key, replica, seq }) => ({
    key: parseKey(key, `${where}.key`),
    dot: { replica: table.replica(replica, `${where}.replica`), seq: parsePositive(seq, `${where}.seq`) },
  }));
}

function parseClaimed(claimed: readonly wire.ClaimedCollection[], table: ReplicaTable): ClaimedCollection[] {
  const collections = claimed.map((part) => ({
    collection: parseCollection(part.collection, 'claim.collection'),
    knowledge: parseKnowledge(part.knowledge, table, 'claim.knowledge'),
    purged: parseSeqs(part.purged, table, 'claim.purged'),
    exchange: parseCount(part.exchange, 'claim.exchange'),
    complete: part.complete,
  }));
  requireDistinct(collections, 'claim.collection');
  return collections;
}

function parseKnowledge(entries: readonly wire.Known[], table: ReplicaTable, where: string): Map<ReplicaId, Known> {
  const knowledge = new Map<ReplicaId, Known>();
  for (const { replica, seq, check } of entries) {
    knowledge.set(table.replica(replica, `${where}.replica`), {
      seq: parsePositive(seq, `${where}.seq`),
      check: check === undefined ? null : parseCheckBytes(check, `${where}.check`),
    });
  }
  if (knowledge.size < entries.length) throw invalidMessage(where, 'names a replica twice');
  return knowledge;
}

function parseSeqs(
  entries: readonly (wire.Purged | wire.Reached)[],
  table: ReplicaTable,
  where: string,
): Map<ReplicaId, number> {
  const seqs = new Map<ReplicaId, number>();
  for (const { replica, seq } of entries)
    seqs.set(table.replica(replica, `${where}.replica`), parsePositive(seq, `${where}.seq`));
  if (seqs.size < entries.length) throw invalidMessage(where, 'names a replica twice');
  return seqs;
}

function parseFork(fork: wire.Fork, table: ReplicaTable): ForkMessage {
  const checks = [parseCheckBytes(fork.checkA, 'fork.check_a'), parseCheckBytes(fork.checkB, 'fork.check_b')] as const;
  if (checks[0] === checks[1]) throw invalidMessage('fork', 'has two equal checks');
  const replica = table.replica(fork.replica, 'fork.replica');
  return { kind: 'fork', replica, seq: parsePositive(fork.seq, 'fork.seq'), checks };
}

function parseExchange(message: { readonly collection: string; readonly exchange: bigint }, where: string) {
  const collection = parseCollection(message.collection, `${where}.collection`);
  return { collection, exchange: parseCount(message.exchange, `${where}.exchange`) };
}

function parseCollections(names: readonly string[], where: string): CollectionName[] {
  const collections = names.map((name) => parseCollection(name, where));
  if (new Set(collections).size < collections.length) throw invalidMessage(where, 'names a collection twice');
  return collections;
}

function requireDistinct(parts: readonly { readonly collection: CollectionName }[], where: string): void {
  const names = new Set(parts.map((part) => part.collection));
  if (names.size < parts.length) throw invalidMessage(where, 'names a collection twice');
}

function parseShortText(text: string, where: string): string {
  if (text.length > HELLO_TEXT_MAX) throw invalidMessage(where, `is longer than ${HELLO_TEXT_MAX} characters`);
  return text;
}

function parseReason(text: string): GoodbyeReason {
  return GOODBYE_REASONS.has(text) ? (text as GoodbyeReason) : 'other';
}
