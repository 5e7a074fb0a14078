import type { Limits } from '../../core/config/index.ts';
import { documentToText, jsonProblem } from '../../core/document/index.ts';
import { messageOf } from '../../core/errors/index.ts';
import type { JsonObject } from '../../core/query/index.ts';
import { after, type Eventually } from '../eventually.ts';
import { type Evolution, type Shaped, takeVersion, VERSION_FIELD, withVersion } from '../evolution/index.ts';
import { isCovered, isRecord, withUnknownMembers } from './covers.ts';
import { type DocumentIssue, documentInvalid, toIssues } from './document-invalid.ts';
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts';
import { Verdicts } from './verdicts.ts';

/** Characters of the version field with the largest integer. */
const VERSION_CHARACTERS_MAX = 24;

/** A decoded document as readers get it, or an invalid one with its issues. */
export type Decoded =
  | { readonly kind: 'fits'; readonly value: unknown; readonly version: number }
  | {
      readonly kind: 'invalid';
      readonly value: JsonObject;
      readonly version: number;
      readonly issues: readonly DocumentIssue[];
    };

/** Converts what a program writes to what is stored, and that to what it reads. */
export interface DocumentCodec {
  /** Version of the documents read; a document with a higher version comes from a newer program. */
  readonly version: number;
  /** Whether documents are read as they are stored. */
  readonly isPlain: boolean;
  /** The JSON text to store. Throws, or rejects with, DOCUMENT_INVALID, INVALID_DOCUMENT or DOCUMENT_TOO_LARGE. */
  encode(key: string, value: unknown, version?: number): Eventually<string>;
  /** `document` is the text parsed, an object of its own, if the caller has it. */
  decode(key: string, text: string, document?: JsonObject): Eventually<Decoded>;
  /** The stored document in the version of this program, not validated: patches apply to it. Throws what a migration throws. */
  open(text: string): Shaped;
  /** The document of `open`; as it is stored if its migration fails. Filters and sorts apply to it. */
  newest(text: string): JsonObject;
  /** Whether the stored document is of an older version than `version`. */
  isOlder(text: string): boolean;
}

/** The result of a validator that threw. It is not remembered, because the next call may succeed. */
class Failed {
  readonly issues: readonly SchemaIssue[];

  constructor(error: unknown) {
    this.issues = [{ message: `the schema failed: ${messageOf(error)}` }];
  }
}

/** The codec of a collection without schema and versions: documents are read as they are stored. */
export function plainCodec(limits: Limits): DocumentCodec {
  return {
    version: 0,
    isPlain: true,
    encode: (key, value) => documentToText(value, limits, key),
    decode: (_key, text, document = JSON.parse(text)) => ({ kind: 'fits', value: document, version: 0 }),
    open: (text) => ({ document: JSON.parse(text), version: 0 }),
    newest: (text) => JSON.parse(text),
    isOlder: () => false,
  };
}

/**
 * The codec of a handle without options, of a collection that has a schema or versions. It reads documents as they are
 * stored. A written document has the stored form too, with its version; it is migrated to the newest version and validated.
 */
export function storedFormCodec(defined: DefinedCodec, limits: Limits): DocumentCodec {
  return {
    ...plainCodec(limits),
    encode: (key, value) => defined.encodeStored(key, value),
    isOlder: (text) => defined.isOlder(text),
  };
}

/**
 * The codec of a collection with a schema, versions, or both (ADR 0005, ADR 0006).
 *
 * It stores the output of the validator if that validates again without a change (defaults, trimming), and otherwise what was
 * written (a text that becomes a Date). Either way, a read returns what the validator returned for the write. Members that
 * the validator leaves out are kept, because a newer program may know them. Documents of a newer version are not validated.
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

  /** Encodes a document that is given in the stored form, of any version. */
  encodeStored(key: string, value: unknown): Eventually<string> {
    if (!isRecord(value)) return documentToText(value, this.#limits, key);
    const opened = this.#upgraded(takeVersion(value as JsonObject));
    if (Array.isArray(opened)) throw documentInvalid(this.#collection, key, opened, 'written');
    return this.encode(key, opened.document, opened.version);
  }

  decode(key: string, text: string, parsed: JsonObject = JSON.parse(text)): Eventually<Decoded> {
    const stored = takeVersion(parsed);
    const opened = this.#upgraded(stored);
    if (Array.isArray(opened))
      return { kind: 'invalid', value: stored.document, version: stored.version, issues: opened };
    const { document, version } = opened;
    if (this.#schema === undefined || version > this.version) return { kind: 'fits', value: document, version };
    const verdict = this.#verdicts.of(key, text);
    if (verdict === 'as it is') return { kind: 'fits', value: document, version };
    if (verdict !== undefined)
      return { kind: 'invalid', value: stored.document, version: stored.version, issues: verdict };
    return after(this.#judge(document), (result) => {
      if (result.issues !== undefined) {
        const issues = toIssues(result.issues);
        if (!(result instanceof Failed)) this.#verdicts.keep(key, text, issues);
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

  newest(text: string): JsonObject {
    try {
      return this.open(text).document;
    } catch {
      return JSON.parse(text);
    }
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

  /**
   * Validates a stored document. A validator that throws, as a check of a program's own does on a document that another program
   * wrote, refuses that document alone: otherwise one document would end every query.
   */
  #judge(document: unknown): Eventually<SchemaResult<unknown>> {
    try {
      const result = this.#validate(document);
      return result instanceof Promise ? result.catch((error: unknown) => new Failed(error)) : result;
    } catch (error) {
      return new Failed(error);
    }
  }

  #normalised(output: unknown, given: unknown): Eventually<unknown> {
    const candidate = withUnknownMembers(output, given);
    if (jsonProblem(candidate, this.#limits.documentDepthMax) !== undefined) return given;
    return after(this.#validate(candidate), (again) =>
      again.issues === undefined && isCovered(again.value, candidate) ? candidate : given,
    );
  }

  /** The document in the newest version, or the error of its migration as an issue. */
  #upgraded(stored: Shaped): Shaped | DocumentIssue[] {
    try {
      return this.#evolution.upgrade(stored);
    } catch (error) {
      return [{ path: '', message: `its migration from version ${stored.version} failed: ${messageOf(error)}` }];
    }
  }
}
