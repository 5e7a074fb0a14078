/**
 * A disk as a power cut may leave it. Files are inodes, names are entries of their folder, and the two are written back
 * separately: a sync of a file makes its bytes durable, a sync of the folder its names. What was not synced may be there
 * whole, in part, or not at all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { isKept } from './folder.ts';
import type { TraceEvent } from './trace.ts';

/**
 * Which unsynced changes are on the disk. `none` or `all`; `random`: any of the writes, and the first few changes of names;
 * `torn`: as `random`, but of some writes only single sectors.
 */
export type Survival = 'none' | 'all' | 'random' | 'torn';

export const SURVIVALS: readonly Survival[] = ['none', 'all', 'random', 'torn'];

const SECTOR_BYTES = 512;

type FileChange =
  | { readonly kind: 'write'; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

/** A change that is atomic, such as a rename. Null: the name no longer exists. */
type NameChange = readonly { readonly name: string; readonly inode: Inode | null }[];

class Inode {
  durable: Buffer = Buffer.alloc(0);
  pending: FileChange[] = [];
  /** As the process sees it. */
  size = 0;

  change(change: FileChange): void {
    this.pending.push(change);
    this.size = change.kind === 'truncate' ? change.size : Math.max(this.size, change.at + change.data.length);
  }

  content(): Buffer {
    return applyChanges(this.durable, this.pending);
  }
}

export class DiskImage {
  readonly #folder: string;
  readonly #live = new Map<string, Inode>();
  readonly #durable = new Map<string, Inode>();
  #pendingNames: NameChange[] = [];
  /** Changes that a running sync makes durable when it ends, by thread. */
  readonly #syncs = new Map<string, { readonly inode: Inode | null; readonly changes: ReadonlySet<object> }>();

  /** `files`: what was durably there before the first event. */
  constructor(folder: string, files: ReadonlyMap<string, Buffer> = new Map()) {
    this.#folder = folder;
    for (const [name, bytes] of files) {
      const inode = new Inode();
      inode.durable = bytes;
      inode.size = bytes.length;
      this.#live.set(name, inode);
      this.#durable.set(name, inode);
    }
  }

  apply(event: TraceEvent): void {
    switch (event.kind) {
      case 'create':
        return this.#create(event.path, event.isEmptied);
      case 'write':
        return this.#file(event.path)?.change({ kind: 'write', at: event.at, data: event.data });
      case 'append': {
        // Only new files are written without a position, from their beginning.
        const inode = this.#file(event.path);
        return inode?.change({ kind: 'write', at: inode.size, data: event.data });
      }
      case 'truncate':
        return this.#file(event.path)?.change({ kind: 'truncate', size: event.size });
      case 'copy': {
        const data = this.#file(event.from)?.content() ?? Buffer.alloc(0);
        return this.#file(event.path)?.change({ kind: 'write', at: 0, data });
      }
      case 'rename':
      case 'link':
        return this.#move(basename(event.from), basename(event.to), event.kind === 'rename');
      case 'unlink':
        return this.#name([{ name: basename(event.path), inode: null }]);
      case 'sync begin':
        return this.#beginSync(event.path, event.thread);
      case 'sync end':
        return this.#endSync(event.thread);
      case 'line':
        return;
    }
  }

  /** The content of each file as found after the power is back. */
  after(survival: Survival, random: SeededRandom): Map<string, Buffer> {
    const names = new Map(this.#durable);
    const count = this.#pendingNames.length;
    const kept = survival === 'none' ? 0 : survival === 'all' ? count : random.integer(0, count);
    for (const change of this.#pendingNames.slice(0, kept)) applyName(names, change);
    const contents = new Map<Inode, Buffer>();
    for (const inode of names.values())
      if (!contents.has(inode)) contents.set(inode, survivors(inode, survival, random));
    return new Map(Array.from(names, ([name, inode]) => [name, contents.get(inode)!]));
  }

  #file(path: string): Inode | undefined {
    return this.#live.get(basename(path));
  }

  #create(path: string, isEmptied: boolean): void {
    const existing = this.#file(path);
    if (existing === undefined) this.#name([{ name: basename(path), inode: new Inode() }]);
    else if (isEmptied) existing.change({ kind: 'truncate', size: 0 });
  }

  #move(from: string, to: string, isRename: boolean): void {
    const inode = this.#live.get(from);
    if (inode === undefined) return;
    this.#name([{ name: to, inode }, ...(isRename ? [{ name: from, inode: null }] : [])]);
  }

  #name(change: NameChange): void {
    this.#pendingNames.push(change);
    applyName(this.#live, change);
  }

  #beginSync(path: string, thread: string): void {
    const inode = path === this.#folder ? null : this.#file(path);
    if (inode === undefined) return;
    this.#syncs.set(thread, { inode, changes: new Set<object>(inode === null ? this.#pendingNames : inode.pending) });
  }

  #endSync(thread: string): void {
    const sync = this.#syncs.get(thread);
    this.#syncs.delete(thread);
    if (sync === undefined) return;
    const { inode, changes } = sync;
    if (inode === null) {
      for (const change of this.#pendingNames) if (changes.has(change)) applyName(this.#durable, change);
      this.#pendingNames = this.#pendingNames.filter((change) => !changes.has(change));
      return;
    }
    inode.durable = applyChanges(
      inode.durable,
      inode.pending.filter((change) => changes.has(change)),
    );
    inode.pending = inode.pending.filter((change) => !changes.has(change));
  }
}

/** Checks that what was there before and all recorded calls make the files that are there: otherwise the recording is incomplete. */
export function verifyImage(folder: string, before: ReadonlyMap<string, Buffer>, events: readonly TraceEvent[]): void {
  const disk = new DiskImage(folder, before);
  for (const event of events) disk.apply(event);
  const files = disk.after('all', createSeededRandom(0));
  const names = readdirSync(folder).filter(isKept);
  for (const name of names)
    if (!files.get(name)?.equals(readFileSync(join(folder, name))))
      throw new Error(`the recording does not tell how ${name} came to be`);
  for (const name of files.keys())
    if (isKept(name) && !names.includes(name)) throw new Error(`the recording does not tell how ${name} went`);
}

function applyName(names: Map<string, Inode>, change: NameChange): void {
  for (const { name, inode } of change) {
    if (inode === null) names.delete(name);
    else names.set(name, inode);
  }
}

function survivors(inode: Inode, survival: Survival, random: SeededRandom): Buffer {
  if (survival === 'none') return inode.durable;
  if (survival === 'all') return inode.content();
  const kept = inode.pending.filter(() => random.chance(0.5));
  return applyChanges(
    inode.durable,
    survival === 'torn' ? kept.flatMap((change) => (random.chance(0.5) ? sectorsOf(change, random) : [change])) : kept,
  );
}

/** Some of the sectors of a write, that is, of its parts between multiples of the sector size. */
function sectorsOf(change: FileChange, random: SeededRandom): FileChange[] {
  if (change.kind === 'truncate') return [change];
  const { at, data } = change;
  const sectors: FileChange[] = [];
  for (let from = 0; from < data.length; ) {
    const to = Math.min(data.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES));
    if (random.chance(0.5)) sectors.push({ kind: 'write', at: at + from, data: data.subarray(from, to) });
    from = to;
  }
  return sectors;
}

/** Applies the changes in order. Bytes never written read as zeros. */
function applyChanges(before: Buffer, changes: readonly FileChange[]): Buffer {
  let capacity = before.length;
  for (const change of changes)
    capacity = Math.max(capacity, change.kind === 'truncate' ? change.size : change.at + change.data.length);
  const bytes = Buffer.alloc(capacity);
  before.copy(bytes);
  let size = before.length;
  for (const change of changes) {
    if (change.kind === 'write') {
      change.data.copy(bytes, change.at);
      size = Math.max(size, change.at + change.data.length);
    } else {
      if (change.size < size) bytes.fill(0, change.size, size);
      size = change.size;
    }
  }
  return bytes.subarray(0, size);
}
