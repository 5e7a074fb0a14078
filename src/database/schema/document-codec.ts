import type { Limits } from '../../core/config/index.ts';
import { documentToText, jsonProblem } from '../../core/document/index.ts';
import { messageOf } from '../../core/errors/index.ts';
import type { JsonObject } from '../../core/query/index.ts';
import { after, type Eventually } from '../eventually.ts';
import { type Evolution, type Shaped, takeVersion, VERSION_FIELD, withVersion } from '../evolution/index.ts';
import { isCovered, isRecord, withUnknownMembers } from './covers.ts';
import { type DocumentIssue, documentInvalid, toIssues } from './document-invalid.ts';
import type { SchemaResult, StandardSchema } from './standard-schema.ts';
import { Verdicts } from './verdicts.ts';

/** Of the field and the largest whole number. */
const VERSION_CHARACTERS_MAX = 24;

/** A stored document as readers get it, or what is wrong with it. */
export type Decoded =
  | { readonly kind: 'fits'; readonly value: unknown; readonly version: number }
  | {
      readonly kind: 'invalid';
      readonly value: JsonObject;
      readonly version: number;
      readonly issues: readonly DocumentIssue[];
    };

/** From what a program writes to what is stored, and from that to what it reads. */
export interface DocumentCodec {
  /** Version of the shape that is read; documents above it come from a newer program. */
  readonly version: number;
  /** What is stored is what is read. */
  readonly isPlain: boolean;
  /** JSON text to store. Throws, or rejects with, DOCUMENT_INVALID, INVALID_DOCUMENT or DOCUMENT_TOO_LARGE. */
  encode(key: string, value: unknown, version?: number): Eventually<string>;
  decode(key: string, text: string): Eventually<Decoded>;
  /** The stored document in the shape of this program, unchecked: what a patch is made on. Throws what a migration throws. */
  open(text: string): Shaped;
  /** Whether the stored document would come to a newer version if it were written again. */
  isOlder(text: string): boolean;
}

/** For a collection that nobody described: what is stored is what is read. */
export function plainCodec(limits: Limits): DocumentCodec {
  return {
    version: 0,
    isPlain: true,
    encode: (key, value) => documentToText(value, limits, key),
    decode: (_key, text) => ({ kind: 'fits', value: JSON.parse(text), version: 0 }),
    open: (text) => ({ document: JSON.parse(text), version: 0 }),
    isOlder: () => false,
  };
}

/**
 * For a handle that reads what is stored of a collection that the program described: what it writes has the stored form too,
 * its version included, is brought to the newest shape, and must fit.
 */
export function storedFormCodec(defined: DefinedCodec, limits: Limits): DocumentCodec {
  return {
    ...plainCodec(limits),
    encode: (key, value) => defined.encodeStored(key, value),
    isOlder: (text) => defined.isOlder(text),
  };
}

/**
 * For a collection with a schema, versions, or both (ADR 0005, ADR 0006).
 *
 * Stored is what the validator gives, if it accepts that again and leaves it as it is (defaults, trimming), else what was
 * written (a text that becomes a Date): either way a read gives what the write's validation gave. Members that the
 * validator leaves out stay, for a newer program may know them. A document of a newer version is not checked.
 */
export class DefinedCodec implements DocumentCodec {
  readonly isPlain = false;
  readonly #collection: string;
  readonly #schema: StandardSchema | undefined;
  readonly #evolution: Evolution;
  readonly #limits: Limits;
  readonly #verdicts: Verdicts;

  constructor(collection: string, schema: StandardSchema | undefined, evolution: Evolution, limits: Limits) {
    this.#collection = collection;
    this.#schema = schema;
    this.#evolution = evolution;
    this.#limits = limits;
    this.#verdicts = new Verdicts(limits);
  }

  get version(): number {
    return this.#evolution.version;
  }

  encode(key: string, value: unknown, version: number = this.version): Eventually<string> {
    if (this.#schema === undefined || version > this.version) return this.#toText(key, value, version);
    return after(this.#validate(value), (result) => {
      if (result.issues !== undefined) throw documentInvalid(this.#collection, key, toIssues(result.issues), 'written');
      if (isCovered(result.value, value)) return this.#toText(key, value, version);
      return after(this.#normalised(result.value, value), (stored) => this.#toText(key, stored, version));
    });
  }

  /** From the stored form of any version. */
  encodeStored(key: string, value: unknown): Eventually<string> {
    if (!isRecord(value)) return documentToText(value, this.#limits, key);
    const opened = this.#upgraded(takeVersion(value as JsonObject));
    if (Array.isArray(opened)) throw documentInvalid(this.#collection, key, opened, 'written');
    return this.encode(key, opened.document, opened.version);
  }

  decode(key: string, text: string): Eventually<Decoded> {
    const stored = takeVersion(JSON.parse(text));
    const opened = this.#upgraded(stored);
    if (Array.isArray(opened))
      return { kind: 'invalid', value: stored.document, version: stored.version, issues: opened };
    const { document, version } = opened;
    if (this.#schema === undefined || version > this.version) return { kind: 'fits', value: document, version };
    const verdict = this.#verdicts.of(key, text);
    if (verdict === 'as it is') return { kind: 'fits', value: document, version };
    if (verdict !== undefined)
      return { kind: 'invalid', value: stored.document, version: stored.version, issues: verdict };
    return after(this.#validate(document), (result) => {
      if (result.issues !== undefined) {
        const issues = toIssues(result.issues);
        this.#verdicts.keep(key, text, issues);
        return { kind: 'invalid', value: stored.document, version: stored.version, issues };
      }
      if (!isCovered(result.value, document))
        return { kind: 'fits', value: withUnknownMembers(result.value, document), version };
      this.#verdicts.keep(key, text, 'as it is');
      return { kind: 'fits', value: document, version };
    });
  }

  open(text: string): Shaped {
    return this.#evolution.upgrade(takeVersion(JSON.parse(text)));
  }

  isOlder(text: string): boolean {
    return takeVersion(JSON.parse(text)).version < this.version;
  }

  #toText(key: string, value: unknown, version: number): string {
    const text = documentToText(value, this.#limits, key);
    if (version === 0) return text;
    const isRoomy = 3 * (text.length + VERSION_CHARACTERS_MAX) <= this.#limits.documentBytesMax;
    if (!isRoomy || Object.hasOwn(value as JsonObject, VERSION_FIELD))
      return documentToText(withVersion({ document: value as JsonObject, version }), this.#limits, key);
    const field = `{"${VERSION_FIELD}":${version}`;
    return text === '{}' ? `${field}}` : `${field},${text.slice(1)}`;
  }

  #validate(value: unknown): Eventually<SchemaResult<unknown>> {
    return after(this.#schema!['~standard'].validate(value), (result) => {
      if (typeof result === 'object' && result !== null) return result;
      throw new TypeError(
        `the schema of collection ${JSON.stringify(this.#collection)} answered ${String(result)}; its validate must give { value } or { issues }`,
      );
    });
  }

  #normalised(output: unknown, given: unknown): Eventually<unknown> {
    const candidate = withUnknownMembers(output, given);
    if (jsonProblem(candidate, this.#limits.documentDepthMax) !== undefined) return given;
    return after(this.#validate(candidate), (again) =>
      again.issues === undefined && isCovered(again.value, candidate) ? candidate : given,
    );
  }

  /** The document in today's shape, or what its migration threw. */
  #upgraded(stored: Shaped): Shaped | DocumentIssue[] {
    try {
      return this.#evolution.upgrade(stored);
    } catch (error) {
      return [{ path: '', message: `its migration from version ${stored.version} failed: ${messageOf(error)}` }];
    }
  }
}
