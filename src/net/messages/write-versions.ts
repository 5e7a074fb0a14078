import type { CollectionName } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { NumberOf } from './encode-message.ts';
import { invalidMessage, messageTooLarge } from './invalid-message.ts';
import type { VersionsMessage } from './message.ts';
import type { WireLimits } from './wire-limits.ts';
import { WireWriter } from './wire-writer.ts';

/** About how many bytes a version takes besides its texts: tags, dot, stamp. */
const VERSION_BYTES = 64;
/** A line has at most three short numbers; most versions and their stamps have 128 to 16,383 bytes. */
const LINE_LENGTH_BYTES = 1;
const LENGTH_BYTES = 2;

/**
 * Writes the content of `Versions` (wire.proto) after `room` free bytes. These messages make up nearly all bytes and calls of
 * a sync, so they are written without the objects and closures of the generated code; the bytes are the same. Throws
 * MESSAGE_TOO_LARGE, or MESSAGE_INVALID for a value with half of a surrogate pair.
 */
export function writeVersions(message: VersionsMessage, room: number, numberOf: NumberOf, limits: WireLimits): Buffer {
  const { versions, batch, more, reached } = message;
  const { messageVersionsMax, messageEntriesMax } = limits;
  if (versions.length > messageVersionsMax)
    throw messageTooLarge('versions', `it has ${versions.length} of at most ${messageVersionsMax} versions`);
  if (entriesOf(versions) > messageEntriesMax)
    throw messageTooLarge('versions', `it has more than ${messageEntriesMax} entries`);
  const writer = new WireWriter(room, sizeHintOf(versions));
  if (batch !== 0) writer.number(0x08, batch);
  if (more) writer.number(0x10, 1);
  let before: CollectionName | undefined;
  for (const version of versions) {
    writeVersion(writer, version, before, numberOf);
    before = version.collection;
  }
  if (reached !== undefined && reached !== 0) writer.number(0x20, reached);
  return writer.bytes;
}

/** Zero and empty fields are left out, unless the schema says `optional`. */
function writeVersion(
  writer: WireWriter,
  version: RemoteVersion,
  before: CollectionName | undefined,
  numberOf: NumberOf,
): void {
  const { collection, key, seq, first, hlc, context, value, stamps, format } = version;
  const inside = writer.open(0x1a, LENGTH_BYTES);
  if (collection !== before) writer.text(0x0a, collection);
  if (key !== '') writer.text(0x12, key);
  writer.number(0x18, numberOf(version.replica));
  if (seq !== 0) writer.number(0x20, seq);
  if (first !== seq) writer.number(0x28, first);
  if (hlc !== 0) writer.number(0x30, hlc);
  for (const line of context) writeLine(writer, numberOf(line.replica), line.first, line.last);
  if (value !== null) writeValue(writer, value);
  if (stamps !== null) writeStamps(writer, stamps, numberOf);
  if (format !== 0) writer.number(0x50, format);
  writer.close(inside, LENGTH_BYTES);
}

function writeLine(writer: WireWriter, replica: number, first: number, last: number): void {
  const inside = writer.open(0x3a, LINE_LENGTH_BYTES);
  writer.number(0x08, replica);
  if (first !== last) writer.number(0x10, first);
  if (last !== 0) writer.number(0x18, last);
  writer.close(inside, LINE_LENGTH_BYTES);
}

/** Half of a surrogate pair would become a different text in UTF-8, and so a different version under the same dot. */
function writeValue(writer: WireWriter, value: string): void {
  if (!value.isWellFormed()) throw invalidMessage('version.value', 'holds half of a surrogate pair');
  writer.text(0x42, value);
}

function writeStamps(writer: WireWriter, stamps: NonNullable<RemoteVersion['stamps']>, numberOf: NumberOf): void {
  const all = writer.open(0x4a, LENGTH_BYTES);
  for (const { path, replica, seq, hlc } of stamps) {
    const inside = writer.open(0x0a, LINE_LENGTH_BYTES);
    if (path !== '') writer.text(0x0a, path);
    writer.number(0x10, numberOf(replica));
    if (seq !== 0) writer.number(0x18, seq);
    if (hlc !== 0) writer.number(0x20, hlc);
    writer.close(inside, LINE_LENGTH_BYTES);
  }
  writer.close(all, LENGTH_BYTES);
}

/** Entries as the reader counts them: see `messageEntriesMax`. */
function entriesOf(versions: readonly RemoteVersion[]): number {
  let entries = 1;
  for (const { context, stamps } of versions) entries += 1 + context.length + (stamps === null ? 0 : 1 + stamps.length);
  return entries;
}

function sizeHintOf(versions: readonly RemoteVersion[]): number {
  let bytes = 0;
  for (const { key, value } of versions) bytes += VERSION_BYTES + key.length + (value?.length ?? 0);
  return bytes;
}
