import { ConfigurationError } from '../../core/errors/index.ts';
import type { JsonObject } from '../../core/query/index.ts';

/** One step: takes a document of the version before and returns it in its own version. It may change its argument. */
export type Migration = (document: Record<string, unknown>) => object;

/** The steps, each under the version that it leads to. There must be one for each version from 1 on. */
export type Migrations = Readonly<Record<number, Migration>>;

/** Name of the field that holds the version of a document's shape. Version 0 is not written. */
export const VERSION_FIELD = '$v';

/** A document and the version of its shape. */
export interface Shaped {
  readonly document: JsonObject;
  readonly version: number;
}

/** The checked migrations of a collection. */
export class Evolution {
  readonly version: number;
  readonly #steps: readonly Migration[];

  /** Throws CONFIG_ERROR / OPTION_INVALID if the version is invalid, or a step is missing or too many. */
  constructor(collection: string, version: number | undefined, migrations: Migrations = {}) {
    const given = Object.keys(migrations).map(Number);
    this.version = version ?? Math.max(0, ...given);
    if (!Number.isSafeInteger(this.version) || this.version < 0)
      throw invalid(collection, `version is ${this.version}; it is a whole number from 0`);
    const tooHigh = given.find((step) => !(Number.isSafeInteger(step) && step >= 1 && step <= this.version));
    if (tooHigh !== undefined)
      throw invalid(collection, `there is a migration ${tooHigh}, but versions go from 1 to ${this.version}`);
    this.#steps = Array.from({ length: this.version }, (_, i) => {
      const step = migrations[i + 1];
      if (typeof step === 'function') return step;
      throw invalid(collection, `migration ${i + 1} is missing; there must be one for each version from 1 on`);
    });
  }

  /** The document in the newest version known here; one of this or a newer version stays as it is. Throws what a step throws. */
  upgrade({ document, version }: Shaped): Shaped {
    if (version >= this.version) return { document, version };
    let shape: object = document;
    for (let step = version; step < this.version; step++) {
      shape = this.#steps[step]!(shape as Record<string, unknown>);
      if (!isDocument(shape)) throw new TypeError(`migration ${step + 1} returned ${nameOf(shape)}, not a document`);
    }
    return { document: shape as JsonObject, version: this.version };
  }
}

/** Separates a stored document from its version. */
export function takeVersion(stored: JsonObject): Shaped {
  if (!Object.hasOwn(stored, VERSION_FIELD)) return { document: stored, version: 0 };
  const { [VERSION_FIELD]: field, ...document } = stored;
  return { document, version: Number.isSafeInteger(field) && (field as number) > 0 ? (field as number) : 0 };
}

/** The document as it is stored: with the version first, so the beginning of the text shows it. */
export function withVersion({ document, version }: Shaped): JsonObject {
  const { [VERSION_FIELD]: _, ...rest } = document;
  return version === 0 ? rest : { [VERSION_FIELD]: version, ...rest };
}

function invalid(collection: string, problem: string): ConfigurationError {
  return new ConfigurationError('OPTION_INVALID', `collection ${JSON.stringify(collection)}: ${problem}`, {
    details: { key: 'migrations', collection },
  });
}

function isDocument(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise);
}

function nameOf(value: unknown): string {
  if (value instanceof Promise) return 'a promise';
  return Array.isArray(value) ? 'an array' : String(value);
}
