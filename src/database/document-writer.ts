import { abortable } from '../core/clock/index.ts';
import { ConcurrencyError, DocumentNotFoundError, messageOf } from '../core/errors/index.ts';
import { type CollectionName, fullKey, parseDocumentKey } from '../core/ids/index.ts';
import { counterValue, incrementCounter } from '../core/merge/index.ts';
import { checkOptions } from '../core/options/index.ts';
import { isArrayIndex, type JsonObject, type JsonValue, parsePath } from '../core/query/index.ts';
import type { StoredDocument } from '../store/index.ts';
import type { WaitOptions, WriteOptions } from './document-api.ts';
import type { DocumentHost } from './document-host.ts';
import { after, type Eventually } from './eventually.ts';
import type { Shaped } from './evolution/index.ts';
import { type LocalWrite, tooLarge, versionToken } from './replica/index.ts';
import { type DocumentCodec, documentInvalid, mergePatch } from './schema/index.ts';
import type { Existed } from './writer.ts';

const IF_VERSION = { ifVersion: true };
const PAIRS = 'putMany takes a list of pairs: [key, document]';

/** The new document of a change, and the version of its shape. */
interface Changed {
  readonly document: unknown;
  readonly version: number;
}

/** Writes documents of one collection, validated and encoded by its codec. */
export class DocumentWriter {
  readonly #host: DocumentHost;
  readonly #collection: CollectionName;
  readonly #codec: DocumentCodec;

  constructor(host: DocumentHost, collection: CollectionName, codec: DocumentCodec) {
    this.#host = host;
    this.#collection = collection;
    this.#codec = codec;
  }

  async put(key: string, value: unknown, options: WriteOptions | undefined): Promise<void> {
    const putting = this.#putting(key, value, options?.ifVersion);
    await this.#write([putting instanceof Promise ? await abortable(putting, options?.signal) : putting], options);
  }

  async add(value: unknown, options: WaitOptions | undefined): Promise<string> {
    const key = this.#host.newKey();
    await this.put(key, value, { ...options, ifVersion: null });
    return key;
  }

  async delete(key: string, options: WriteOptions | undefined): Promise<boolean> {
    const [existed] = await this.#write([this.#deleting(key, options?.ifVersion)], options);
    return existed!;
  }

  async putMany(
    documents: Iterable<readonly [key: string, value: unknown, options?: Pick<WriteOptions, 'ifVersion'>]>,
    options: WaitOptions | undefined,
  ): Promise<void> {
    if (!isIterable(documents)) throw new TypeError(PAIRS);
    const writes: LocalWrite[] = [];
    let chars = 0;
    for (const document of documents) {
      if (!Array.isArray(document)) throw new TypeError(PAIRS);
      const [key, value, condition] = document;
      checkOptions(condition, 'a document in putMany', IF_VERSION);
      const putting = this.#putting(key, value, condition?.ifVersion);
      const write = putting instanceof Promise ? await abortable(putting, options?.signal) : putting;
      chars += write.value?.length ?? 0;
      // Checked here already, so that an endless iterable ends and a huge one is not collected first.
      this.#checkSize(writes.push(write), chars);
    }
    if (writes.length > 0) await this.#write(writes, options);
  }

  async deleteMany(keys: Iterable<string>, options: WaitOptions | undefined): Promise<number> {
    // The characters of a text would be taken for keys.
    if (typeof keys === 'string' || !isIterable(keys))
      throw new TypeError('deleteMany takes a list of keys; for one key use delete');
    const writes = new Map<string, LocalWrite>();
    for (const key of keys) {
      writes.set(key, this.#deleting(key, undefined));
      this.#checkSize(writes.size, 0);
    }
    if (writes.size === 0) return 0;
    const existed = await this.#write([...writes.values()], options);
    return existed.filter(Boolean).length;
  }

  /** Resolves with the text that was written. */
  patch(key: string, patch: JsonObject, options: WriteOptions | undefined): Promise<string> {
    return this.#change(key, options, (row) => {
      const { document, version } = this.#opened(row);
      return { document: mergePatch(document, patch), version };
    });
  }

  /** `change` gets the document as readers see it. Resolves with the text that was written. */
  modify(
    key: string,
    read: (row: StoredDocument) => Eventually<unknown>,
    change: (document: unknown) => unknown,
    options: WriteOptions | undefined,
  ): Promise<string> {
    return this.#change(key, options, (row) =>
      after(read(row), (document) => ({
        document: change(document),
        version: this.#opened(row).version,
      })),
    );
  }

  /** Resolves with the sum. */
  async increment(key: string, path: string, by: number, options: WriteOptions | undefined): Promise<number> {
    if (!Number.isFinite(by)) throw new RangeError(`a number cannot be incremented by ${String(by)}`);
    const steps = parsePath(path);
    const counter = this.#host.counterOf(this.#collection);
    let sum = 0;
    await this.#change(key, options, (row) => {
      const opened = this.#opened(row);
      const add = (value: JsonValue | undefined): JsonValue => {
        const before = numberAt(value, path);
        sum = before + by;
        if (!Number.isFinite(sum)) throw new RangeError(`${JSON.stringify(path)} cannot be incremented to ${sum}`);
        if (counter === undefined) return sum;
        const counting = counterValue(value) === undefined ? counterFrom(before) : value;
        return incrementCounter(counting, counter, 0, by);
      };
      return changedAt(opened, steps, add);
    });
    return sum;
  }

  /**
   * Reads, changes and writes as one step. If the document changed meanwhile, the commit is refused by its version token and
   * the change begins again. Repetitions take turns, so that concurrent updates do not defeat each other for ever.
   */
  async #change(
    key: string,
    options: WriteOptions | undefined,
    change: (row: StoredDocument) => Eventually<Changed>,
  ): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt === 1) return await this.#tryChange(key, options, change);
        return await this.#host.turns.run(fullKey(this.#collection, parseDocumentKey(key)), () =>
          this.#tryChange(key, options, change),
        );
      } catch (error) {
        const isRace = error instanceof ConcurrencyError && options?.ifVersion === undefined;
        if (!isRace || attempt >= this.#host.limits.updateAttemptsMax) throw error;
      }
    }
  }

  async #tryChange(
    key: string,
    options: WriteOptions | undefined,
    change: (row: StoredDocument) => Eventually<Changed>,
  ): Promise<string> {
    options?.signal?.throwIfAborted();
    const row = this.#host.read(this.#collection, parseDocumentKey(key));
    const token = versionToken(row);
    if (options?.ifVersion !== undefined && token !== (options.ifVersion ?? undefined))
      throw new ConcurrencyError(this.#collection, key, token);
    if (row === undefined || token === undefined) throw new DocumentNotFoundError(this.#collection, key);
    const text = after(change(row), ({ document, version }) => this.#codec.encode(key, document, version));
    const value = text instanceof Promise ? await abortable(text, options?.signal) : text;
    await this.#write([{ collection: this.#collection, key: row.key, value, ifVersion: token }], options);
    return value;
  }

  #opened({ key, value }: StoredDocument): Shaped {
    try {
      return this.#codec.open(value!);
    } catch (error) {
      const message = `its migration failed: ${messageOf(error)}`;
      throw documentInvalid(this.#collection, key, [{ path: '', message }], 'stored');
    }
  }

  #putting(key: string, value: unknown, ifVersion: string | null | undefined): Eventually<LocalWrite> {
    const place = { collection: this.#collection, key: parseDocumentKey(key), ifVersion };
    return after(this.#codec.encode(key, value), (text) => ({ ...place, value: text }));
  }

  #deleting(key: string, ifVersion: string | null | undefined): LocalWrite {
    return { collection: this.#collection, key: parseDocumentKey(key), value: null, ifVersion };
  }

  #write(writes: readonly LocalWrite[], options: WaitOptions | undefined): Promise<Existed> {
    options?.signal?.throwIfAborted();
    return abortable(this.#host.write(this.#collection, writes), options?.signal);
  }

  #checkSize(documents: number, chars: number): void {
    const { transactionDocumentsMax, transactionBytesMax } = this.#host.limits;
    if (documents > transactionDocumentsMax)
      throw tooLarge('documents', transactionDocumentsMax, 'transactionDocumentsMax');
    if (documents > 1 && chars > transactionBytesMax)
      throw tooLarge('bytes of JSON', transactionBytesMax, 'transactionBytesMax');
  }
}

/** The entry that holds the number from before a field became a counter, the same on all nodes that convert it concurrently. */
const FIRST_HOLDER = '0'.repeat(32);

function counterFrom(before: number): JsonObject {
  return { $counter: before === 0 ? {} : { [FIRST_HOLDER]: [0, before] } };
}

function numberAt(value: JsonValue | undefined, path: string): number {
  const number = value === undefined ? 0 : (counterValue(value) ?? value);
  if (typeof number === 'number') return number;
  throw new TypeError(`what is at ${JSON.stringify(path)} is no number and no counter, so it cannot be incremented`);
}

/** The document with the value at a path changed. Missing objects on the way are created. */
function changedAt(
  { document, version }: Shaped,
  steps: readonly string[],
  change: (value: JsonValue | undefined) => JsonValue,
): Changed {
  const set = (value: JsonValue | undefined, depth: number): JsonValue => {
    const step = steps[depth];
    if (step === undefined) return change(value);
    if (Array.isArray(value)) {
      if (!isArrayIndex(step) || Number(step) >= value.length) throw noSuchItem(steps, depth);
      return value.map((item, i) => (String(i) === step ? set(item, depth + 1) : item));
    }
    if (value !== undefined && (typeof value !== 'object' || value === null)) throw noSuchItem(steps, depth);
    const held = value as JsonObject | undefined;
    return { ...held, [step]: set(held && Object.hasOwn(held, step) ? held[step] : undefined, depth + 1) };
  };
  return { document: set(document, 0), version };
}

function noSuchItem(steps: readonly string[], depth: number): TypeError {
  return new TypeError(`the document has no place for ${JSON.stringify(steps.slice(0, depth + 1).join('.'))}`);
}

function isIterable(value: unknown): boolean {
  return typeof (value as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function';
}
