import type { RemoteVersion } from '../../core/replication/index.ts';
import type { StoredVersion } from '../../store/index.ts';
import type { SessionContext } from '../session-context.ts';
import { versionBytes } from '../version-size.ts';
import type { EchoMemory } from './echo-memory.ts';
import type { OutStream } from './out-stream.ts';
import type { PageSize } from './page-size.ts';

/** From how many replicas versions are read for one message. */
const REPLICAS_MAX = 64;

export interface Delta {
  readonly versions: readonly RemoteVersion[];
  /** The seq up to which the stream has come with the last version; undefined if it cannot be resumed there. */
  readonly reached: number | undefined;
}

/**
 * R4, first part: about one message of what was live when the round began, by replica, in order of seq. Replicas with only a few
 * versions share a message.
 */
export function readDelta(context: SessionContext, stream: OutStream, pages: PageSize, echo: EchoMemory): Delta {
  const room = pages.ofDelta;
  let delta: Delta = { versions: [], reached: undefined };
  let [bytes, isLast] = [0, true];
  for (let read = 0; read < REPLICAS_MAX && stream.phase === 'delta' && isLast; read++) {
    const page = readPage(context, stream, pages, echo, room - delta.versions.length);
    ({ isLast } = page);
    if (page.versions.length === 0) continue;
    for (const version of page.versions) bytes += versionBytes(version.key, version);
    delta = { versions: [...delta.versions, ...page.versions], reached: page.reached };
    if (2 * delta.versions.length >= room || 2 * bytes >= context.deps.limits.messageBytesMax) break;
  }
  return delta;
}

/** The next page of the replica in progress; `isLast`: the stream has gone on to the next replica. */
function readPage(
  { replica: own, deps }: SessionContext,
  stream: OutStream,
  pages: PageSize,
  echo: EchoMemory,
  limit: number,
): Delta & { readonly isLast: boolean } {
  const replica = stream.replicas[0]!;
  const { messageBytesMax } = deps.limits;
  const found = own.store.delta(stream.collection, replica, stream.afterSeq, limit, messageBytesMax);
  const page = pages.cutPage(found);
  // A dot that two lives wrote has two versions, which stay in one page: it may hold more than asked for.
  const isAll = found.length < limit && charactersOf(found) < messageBytesMax;
  const isLast = isAll && page.length === found.length;
  const ownSeq = replica === own.id ? (own.collection(stream.collection).knowledge.get(own.id)?.seq ?? 0) : undefined;
  const reached = stream.reached(replica, isLast ? Number.POSITIVE_INFINITY : page.at(-1)!.version.seq, ownSeq);
  if (!isLast) stream.afterSeq = page.at(-1)!.version.seq;
  else {
    stream.replicas.shift();
    stream.enterReplica();
  }
  const versions = page
    .filter(({ version }) => !echo.has(version))
    .map(({ collection, key, version }) => ({ ...version, collection, key }));
  return { versions, reached, isLast };
}

function charactersOf(page: readonly StoredVersion[]): number {
  return page.reduce((characters, { version }) => characters + (version.value?.length ?? 0), 0);
}
