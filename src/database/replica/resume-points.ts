import { type CollectionName, parseReplicaId, type ReplicaId } from '../../core/ids/index.ts';
import type { Reached, RemoteClaim } from '../../core/replication/index.ts';
import type { Knowledge } from '../../core/version/index.ts';
import type { Draft } from './draft.ts';

/** Maximum number of streams that are remembered; beyond it the least recently continued one is forgotten, and starts over. */
const STREAMS_MAX = 64;

type Points = ReadonlyMap<ReplicaId, number>;
const NOTHING: Points = new Map();

interface Stream {
  readonly startId: string;
  readonly points: Points;
}

/**
 * R4: how far the streams that no claim has concluded yet have come, by sender and collection, so an interrupted one continues
 * where it was cut. This is not knowledge: it only says what this sender, since this start of its process, need not send again. A
 * sender that was restarted may have been rolled back, or be a copy, and have written something else under the same dots (R9).
 * Removing rows that no knowledge covers must also forget these points.
 */
export class ResumePoints {
  /** In the order in which the streams last continued. */
  readonly #streams: ReadonlyMap<string, Stream>;

  private constructor(streams: ReadonlyMap<string, Stream>) {
    this.#streams = streams;
  }

  static none(): ResumePoints {
    return new ResumePoints(new Map());
  }

  /** What cannot be parsed is left out. */
  static parse(text: string | undefined): ResumePoints {
    const rows: unknown = JSON.parse(text ?? '[]');
    return new ResumePoints(new Map(Array.isArray(rows) ? rows.flatMap(parseStream) : []));
  }

  of(sender: ReplicaId, startId: string, collection: CollectionName): Points {
    const stream = this.#streams.get(`${sender}${collection}`);
    return stream?.startId === startId ? stream.points : NOTHING;
  }

  /**
   * The points after a commit of the claims and of what was `reached`. If R5 has dropped something of a collection, its points
   * are forgotten, because the sender would not send that again. What knowledge covers need not be remembered.
   */
  after(draft: Draft, claims: readonly RemoteClaim[], reached: Reached | undefined): ResumePoints {
    let resume = reached === undefined ? this : this.#with(reached);
    for (const { collection, liveSet } of claims) {
      const hasDropped = liveSet !== undefined && liveSet.missing.length > 0;
      resume = hasDropped
        ? resume.#map(collection, () => [])
        : resume.#known(collection, draft.collection(collection).knowledge);
    }
    return resume;
  }

  toText(): string | null {
    if (this.#streams.size === 0) return null;
    return JSON.stringify([...this.#streams].map(([name, { startId, points }]) => [name, startId, [...points]]));
  }

  #with({ sender, startId, collection, replica, seq }: Reached): ResumePoints {
    const name = `${sender}${collection}`;
    const before = this.of(sender, startId, collection);
    if (seq <= (before.get(replica) ?? 0)) return this;
    const streams = [...this.#streams].filter(([other]) => other !== name);
    streams.push([name, { startId, points: new Map([...before, [replica, seq]]) }]);
    return new ResumePoints(new Map(streams.slice(-STREAMS_MAX)));
  }

  /** Without the points that knowledge covers. */
  #known(collection: CollectionName, knowledge: Knowledge): ResumePoints {
    return this.#map(collection, (points) => [...points].filter(([r, seq]) => seq > (knowledge.get(r)?.seq ?? 0)));
  }

  #map(collection: CollectionName, change: (points: Points) => [ReplicaId, number][]): ResumePoints {
    const ofCollection = [...this.#streams].filter(([name]) => name.slice(SENDER_CHARACTERS) === collection);
    if (ofCollection.length === 0) return this;
    const streams = new Map(this.#streams);
    for (const [name, { startId, points }] of ofCollection) {
      const left = change(points);
      if (left.length === 0) streams.delete(name);
      else streams.set(name, { startId, points: new Map(left) });
    }
    return new ResumePoints(streams);
  }
}

const SENDER_CHARACTERS = 32;

function parseStream(row: unknown): [string, Stream][] {
  if (!Array.isArray(row)) return [];
  const [name, startId, rows]: readonly unknown[] = row;
  if (typeof name !== 'string' || typeof startId !== 'string' || !Array.isArray(rows)) return [];
  const points = rows.flatMap((point: unknown): [ReplicaId, number][] => {
    if (!Array.isArray(point)) return [];
    const replica = parseReplicaId(point[0]);
    return replica !== undefined && Number.isSafeInteger(point[1]) ? [[replica, point[1]]] : [];
  });
  return [[name, { startId, points: new Map(points) }]];
}
