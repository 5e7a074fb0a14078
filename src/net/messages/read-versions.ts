import { type Hlc, isHlc } from '../../core/clock/index.ts';
import { type CollectionName, compareBytes, type ReplicaId } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import { type Context, EMPTY_CONTEXT, type FieldStamp, isContext, type Line } from '../../core/version/index.ts';
import type { ReplicaTable } from './dictionary.ts';
import { invalidMessage } from './invalid-message.ts';
import type { VersionsMessage } from './message.ts';
import { parseCollection, parseKey } from './parse-fields.ts';
import { FrameSchema } from './wire_pb.ts';
import type { WireLimits } from './wire-limits.ts';
import type { WireReader } from './wire-reader.ts';

/** The highest field number that wire.proto defines in each of these messages. */
const [VERSIONS_FIELDS, VERSION_FIELDS, LINE_FIELDS, STAMPS_FIELDS, STAMP_FIELDS] = [4, 10, 3, 1, 4];

/** The tags of all fields of `Frame` in this release are below this. */
const FRAME_TAGS_END = 8 * (1 + Math.max(...FrameSchema.fields.map((field) => field.number)));

interface FoundVersions {
  readonly resetReplicas: boolean;
  readonly newReplicas: Uint8Array;
  readonly from: number;
  readonly end: number;
}

/** Where the `Versions` are in a frame that ends at `end`; undefined if it holds another message or is invalid. */
export function findVersions(reader: WireReader, end: number): FoundVersions | undefined {
  let resetReplicas = false;
  let newReplicas: Uint8Array = new Uint8Array(0);
  let from = 0;
  let to = 0;
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === 0x08) resetReplicas = reader.number() !== 0;
    else if (tag === 0x12) newReplicas = reader.data(end);
    else if (tag === 0x1a && from === 0) {
      to = reader.entry(end);
      from = reader.at;
      reader.skipTo(to);
    } else if (tag < FRAME_TAGS_END) return undefined;
    else reader.skip(tag, 0, end);
  }
  return from === 0 ? undefined : { resetReplicas, newReplicas, from, end: to };
}

/**
 * Reads a `Versions` message straight from its bytes, checked against the rules of wire.proto: nearly everything that a sync
 * reads. Accepts what the generated decoder accepts: fields in any order, the last of a repeated field, unknown fields ignored.
 */
export class VersionsReader {
  readonly #reader: WireReader;
  readonly #table: ReplicaTable;
  readonly #limits: WireLimits;

  constructor(reader: WireReader, table: ReplicaTable, limits: WireLimits) {
    this.#reader = reader;
    this.#table = table;
    this.#limits = limits;
  }

  /** The message that ends at `end`. Throws MESSAGE_INVALID. */
  message(end: number): VersionsMessage {
    const reader = this.#reader;
    const versions: RemoteVersion[] = [];
    let batch = 0;
    let more = false;
    let reached = 0;
    let before: CollectionName | undefined;
    for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
      if (tag === 0x1a) {
        const version = this.#version(reader.entry(end), before);
        if (versions.push(version) > this.#limits.messageVersionsMax)
          throw invalidMessage('versions', `has more than ${this.#limits.messageVersionsMax} versions`);
        before = version.collection;
      } else if (tag === 0x08) batch = count(reader.number(), 'versions.batch');
      else if (tag === 0x10) more = reader.number() !== 0;
      else if (tag === 0x20) reached = count(reader.number(), 'versions.reached');
      else reader.skip(tag, VERSIONS_FIELDS, end);
    }
    return reached === 0
      ? { kind: 'versions', batch, versions, more }
      : { kind: 'versions', batch, versions, more, reached };
  }

  /** `before`: the collection of the previous version, used if this one names none. */
  #version(end: number, before: CollectionName | undefined): RemoteVersion {
    const reader = this.#reader;
    let collection = before;
    let key = '';
    let replica = 0;
    let seq = 0;
    let first = -1;
    let hlc = 0;
    let format = 0;
    let lines: Line[] | undefined;
    let value: string | null = null;
    let stamps: FieldStamp[] | null = null;
    for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
      switch (tag) {
        case 0x0a:
          collection = this.#collection(end, before);
          break;
        case 0x12:
          key = reader.text(end, 'version.key');
          break;
        case 0x18:
          replica = reader.number();
          break;
        case 0x20:
          seq = reader.number();
          break;
        case 0x28:
          first = reader.number();
          break;
        case 0x30:
          hlc = reader.number();
          break;
        case 0x3a:
          lines = lines ?? [];
          lines.push(this.#line(reader.entry(end)));
          break;
        case 0x42:
          value = reader.text(end, 'version.value');
          break;
        case 0x4a:
          stamps = stamps ?? [];
          this.#stamps(reader.entry(end), stamps);
          break;
        case 0x50:
          format = formatOf(reader.number());
          break;
        default:
          reader.skip(tag, VERSION_FIELDS, end);
      }
    }
    const writer = this.#table.replica(replica, 'version.replica');
    positive(seq, 'version.seq');
    if (first === -1) first = seq;
    else if (positive(first, 'version.first') > seq) throw invalidMessage('version.first', 'is above seq');
    if (collection === undefined) throw invalidMessage('version.collection', 'is absent in the first version');
    return {
      collection,
      key: parseKey(key, 'version.key'),
      replica: writer,
      seq,
      first,
      hlc: stampOf(hlc, 'version.hlc'),
      context: lines === undefined ? EMPTY_CONTEXT : contextOf(lines, writer, seq),
      value,
      stamps: stamps === null ? null : sorted(stamps),
      format,
    };
  }

  #collection(end: number, before: CollectionName | undefined): CollectionName {
    const name = this.#reader.text(end, 'version.collection');
    return name === before ? before : parseCollection(name, 'version.collection');
  }

  #line(end: number): Line {
    const reader = this.#reader;
    let replica = 0;
    let first = -1;
    let last = 0;
    for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
      if (tag === 0x08) replica = reader.number();
      else if (tag === 0x10) first = reader.number();
      else if (tag === 0x18) last = reader.number();
      else reader.skip(tag, LINE_FIELDS, end);
    }
    positive(last, 'version.context.last');
    if (first !== -1) positive(first, 'version.context.first');
    return {
      replica: this.#table.replica(replica, 'version.context.replica'),
      first: first === -1 ? last : first,
      last,
    };
  }

  #stamps(end: number, stamps: FieldStamp[]): void {
    const reader = this.#reader;
    for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
      if (tag === 0x0a) stamps.push(this.#stamp(reader.entry(end)));
      else reader.skip(tag, STAMPS_FIELDS, end);
    }
  }

  #stamp(end: number): FieldStamp {
    const reader = this.#reader;
    let path = '';
    let replica = 0;
    let seq = 0;
    let hlc = 0;
    for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
      if (tag === 0x0a) path = reader.text(end, 'version.stamps.path');
      else if (tag === 0x10) replica = reader.number();
      else if (tag === 0x18) seq = reader.number();
      else if (tag === 0x20) hlc = reader.number();
      else reader.skip(tag, STAMP_FIELDS, end);
    }
    return {
      path,
      replica: this.#table.replica(replica, 'version.stamps.replica'),
      seq: positive(seq, 'version.stamps.seq'),
      hlc: stampOf(hlc, 'version.stamps.hlc'),
    };
  }
}

function contextOf(lines: readonly Line[], replica: ReplicaId, seq: number): Context {
  for (const line of lines)
    if (line.replica === replica && line.last >= seq)
      throw invalidMessage('version.context', 'covers the write itself');
  if (!isContext(lines)) throw invalidMessage('version.context', 'is not sorted and disjoint');
  return lines;
}

function sorted(stamps: readonly FieldStamp[]): readonly FieldStamp[] {
  for (let i = 1; i < stamps.length; i++)
    if (compareBytes(stamps[i - 1]!.path, stamps[i]!.path) >= 0)
      throw invalidMessage('version.stamps', 'are not sorted');
  return stamps;
}

function count(value: number, where: string): number {
  if (!Number.isSafeInteger(value)) throw invalidMessage(where, 'is beyond 2^53');
  return value;
}

function formatOf(value: number): number {
  if (value > 0xffff_ffff) throw invalidMessage('version.format', 'is beyond 2^32');
  return value;
}

function positive(value: number, where: string): number {
  if (value === 0) throw invalidMessage(where, 'is 0');
  return count(value, where);
}

function stampOf(value: number, where: string): Hlc {
  if (!isHlc(value)) throw invalidMessage(where, 'is no stamp');
  return value;
}
