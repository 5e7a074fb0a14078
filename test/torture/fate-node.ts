/** One of the nodes in a case of `fates`: its folder, its processes one after the other, and its writer. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isEntglDbError } from '../../src/core/errors/index.ts';
import type { Conflict } from '../../src/database/index.ts';
import { readNodeFile } from '../../src/node/node-file.ts';
import type { EqualityVerdict, PeerEquality } from '../../src/node/services/index.ts';
import type { SeededRandom } from '../../src/testing/index.ts';
import type { Scope } from '../integration/cleanup.ts';
import { NodeProcess, runCommand, shiftedClock } from '../integration/node-process.ts';
import { timeUntil } from './time-until.ts';
import type { Traced, WriteTruth } from './write-truth.ts';

const COLLECTION = 'fates';
const DATABASE = 'entgldb.db';
/** A writer makes new documents until it sees so many, then changes and deletes them. */
const DOCUMENTS_MAX = 12;
const WRITE_MS = [0, 60] as const;
const DELETION_CHANCE = 0.15;
const CONFLICTS_MAX = 1000;
const RECEIPT_MS_MAX = 60_000;
/** Nothing was written, or it is not known: another write came first, there is nothing to write over, or the node is closing. */
const NOT_CONFIRMED = [404, 412, 503];

export interface FateSettings {
  readonly scope: Scope;
  /** Each node has a folder of its own in it. */
  readonly folder: string;
  readonly tokenFile: string;
  readonly udpPort: number;
  readonly truth: WriteTruth;
}

interface Seen {
  readonly document: Traced;
  readonly tag: string;
}

export class FateNode {
  readonly name: string;
  readonly #settings: FateSettings;
  readonly #clockFolder: string;
  #folder: string;
  #shiftMs = 0;
  #moves = 0;
  /** Whether a bit of its database was flipped: then reads may say so, until a peer has healed it. */
  #isDamaged = false;
  #running: { readonly node: NodeProcess; readonly url: string; readonly secret: string } | undefined;

  constructor(name: string, settings: FateSettings) {
    this.name = name;
    this.#settings = settings;
    this.#folder = join(settings.folder, name);
    this.#clockFolder = join(settings.folder, `clock of ${name}`);
    mkdirSync(this.#clockFolder);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get node(): NodeProcess {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`);
    return this.#running.node;
  }

  async start(): Promise<void> {
    const { scope, tokenFile, udpPort } = this.#settings;
    const settings = { Network: { LocalhostOnly: true }, Persistence: { BackupPath: 'backups' } };
    const options = { folder: this.#folder, name: this.name, tokenFile, udpPort, settings };
    const node = await NodeProcess.start(scope, { ...options, env: shiftedClock(this.#clockFolder, this.#shiftMs) });
    const { url, secret } = (await readNodeFile(join(this.#folder, DATABASE)))!;
    this.#running = { node, url, secret };
  }

  async kill(): Promise<void> {
    const { node } = this;
    this.#running = undefined;
    await node.kill();
  }

  async stop(): Promise<number | null> {
    const { node } = this;
    this.#running = undefined;
    return node.stop();
  }

  setClock(shiftMs: number): void {
    this.#shiftMs = shiftMs;
    shiftedClock(this.#clockFolder, shiftMs);
    this.#running?.node.signal('SIGUSR2');
  }

  /** Removes everything that it has, as if its disk had been replaced. It must not run. */
  wipe(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Its files move to a folder that holds copies of them, as when a disk was replaced by a copy. It must not run. */
  moveToCopy(): void {
    const copy = `${this.#folder}'`;
    cpSync(this.#folder, copy, { recursive: true });
    rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = copy;
  }

  /** Flips one bit of its database. It must not run. */
  rot(random: SeededRandom): void {
    const path = join(this.#folder, DATABASE);
    const bytes = readFileSync(path);
    bytes[random.integer(0, bytes.length - 1)]! ^= 1 << random.integer(0, 7);
    writeFileSync(path, bytes);
    this.#isDamaged = true;
  }

  get backups(): string[] {
    const folder = join(this.#folder, 'backups');
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.db')) : [];
  }

  backup(): Promise<unknown> {
    return this.node.client.json({ method: 'POST', path: '/api/v1/backups', body: '{}', answerMsMax: 60_000 });
  }

  /** Runs `entgldb restore`. It must not run. */
  async restore(name: string): Promise<void> {
    const { code, err } = await runCommand(['restore', name, '--data', this.#folder]);
    if (code !== 0) throw new Error(`restoring ${name} of ${this.name} ended with ${code}: ${err}`);
  }

  /** Copies a backup over the database by hand and leaves all other files as they are. It must not run. */
  copyBack(name: string): void {
    const target = join(this.#folder, DATABASE);
    renameSync(target, `${target}-replaced-${++this.#moves}`);
    cpSync(join(this.#folder, 'backups', name), target);
  }

  /** Runs a command beside the node. */
  async maintain(command: 'compact' | 'check'): Promise<void> {
    const { code, err } = await runCommand([command, '--data', this.#folder]);
    if (code !== 0 && !this.#isDamaged) throw new Error(`${command} of ${this.name} ended with ${code}: ${err}`);
  }

  async documents(): Promise<Map<string, Traced>> {
    const found = new Map<string, Traced>();
    for await (const [key, value] of this.node.collection(COLLECTION).entries())
      found.set(key, value as unknown as Traced);
    return found;
  }

  /** Notes all that its conflict ledger lists. */
  async noteConflicts(): Promise<void> {
    const path = `/api/v1/conflicts?limit=${CONFLICTS_MAX}`;
    const { conflicts } = (await this.node.client.json({ method: 'GET', path })) as { conflicts: Conflict[] };
    if (conflicts.length === CONFLICTS_MAX) throw new Error(`${this.name} lists more conflicts than one answer holds`);
    for (const { key, loser } of conflicts)
      this.#settings.truth.listed({ key, value: (loser.value ?? null) as unknown as Traced | null });
  }

  /** Whether it says that another node holds each of its writes. */
  async isConfirmed(): Promise<boolean> {
    const answer = await this.node.client.json({ method: 'GET', path: '/api/v1/unsynced' });
    return (answer as { pending: unknown[] }).pending.length === 0;
  }

  /** Resolves when another node holds each of its writes; rejects if that takes too long. */
  async awaitConfirmed(): Promise<void> {
    if ((await timeUntil(() => this.isConfirmed(), RECEIPT_MS_MAX)) === undefined)
      throw new Error(`${this.name} gets no receipt for all of its writes within ${RECEIPT_MS_MAX} ms`);
  }

  /** How its comparison with the others ends, by name; those that did not answer are left out. */
  async verdicts(): Promise<Map<string, EqualityVerdict[]>> {
    const request = { method: 'POST', path: '/api/v1/verification', body: '{}', answerMsMax: 120_000 } as const;
    const { peers } = (await this.node.client.json(request)) as { peers: PeerEquality[] };
    return new Map(peers.map(({ node, collections }) => [node, collections.map(({ verdict }) => verdict)]));
  }

  /** Writes, one after another, until the signal comes or the process is gone. */
  async write(random: SeededRandom, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.isRunning) {
      try {
        await this.#writeOnce(random, signal);
        await pause(random.integer(...WRITE_MS), undefined, { signal });
      } catch (error) {
        if (signal.aborted || !this.isRunning || isBroken(error)) return;
        if (!this.#isDamaged || !isEntglDbError(error, 'PERSISTENCE_ERROR')) throw error;
      }
    }
  }

  async #writeOnce(random: SeededRandom, signal: AbortSignal): Promise<void> {
    const { truth } = this.#settings;
    const keys = [...(await this.documents()).keys()];
    if (keys.length < DOCUMENTS_MAX) {
      const key = `${this.name}-${truth.next}`;
      const made = truth.begin(key, this.name, undefined, false);
      await this.#send('PUT', key, { 'if-none-match': '*' }, made, signal);
      return;
    }
    const key = random.pick(keys);
    const seen = await this.#read(key, signal);
    if (seen === undefined) return;
    const isDeletion = random.chance(DELETION_CHANCE);
    const made = truth.begin(key, this.name, seen.document, isDeletion);
    await this.#send(isDeletion ? 'DELETE' : 'PUT', key, { 'if-match': seen.tag }, made, signal);
  }

  async #read(key: string, signal: AbortSignal): Promise<Seen | undefined> {
    const response = await this.#fetch(key, { signal });
    if (response.status === 404 || (response.status >= 500 && this.#isDamaged)) return undefined;
    return { document: (await response.json()) as Traced, tag: response.headers.get('etag')! };
  }

  async #send(
    method: 'PUT' | 'DELETE',
    key: string,
    condition: object,
    made: Traced,
    signal: AbortSignal,
  ): Promise<void> {
    const body = method === 'PUT' ? { body: JSON.stringify(made) } : {};
    const headers = { ...condition, ...(method === 'PUT' && { 'content-type': 'application/json' }) };
    const response = await this.#fetch(key, { method, headers, ...body, signal });
    if (response.ok) this.#settings.truth.confirm(made.n);
    else if (!NOT_CONFIRMED.includes(response.status) && !this.#isDamaged)
      throw new Error(`${this.name} answered ${response.status} to a write: ${await response.text()}`);
  }

  #fetch(key: string, init: RequestInit & { readonly headers?: Readonly<Record<string, string>> }): Promise<Response> {
    const { url, secret } = this.#running!;
    const path = `/api/v1/collections/${COLLECTION}/documents/${encodeURIComponent(key)}`;
    return fetch(`${url}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
  }
}

/** Whether the connection broke, as with a process that was killed. */
function isBroken(error: unknown): boolean {
  const { message, reason } = error as { message: string; reason?: string };
  return message === 'fetch failed' || message === 'terminated' || reason === 'NODE_UNREACHABLE';
}
