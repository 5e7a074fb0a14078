import { TIMES } from '../config/index.ts';
import { checkDocumentText, type DocumentState, visibleVersions } from '../document/index.ts';
import type { Version } from '../version/index.ts';
import { lww } from './lww.ts';
import type { Resolver } from './resolver.ts';

export interface ResolveOptions {
  /** Milliseconds that never decrease. Without it a resolver's time is not measured. */
  readonly monotonic?: () => number;
  /** Default `TIMES.resolverMsMax`, 10. */
  readonly resolverMsMax?: number;
}

export interface ResolvedDocument {
  /** What readers see: JSON text of an object, or null where the document does not exist. */
  readonly text: string | null;
  /** Set when the resolver failed and `text` is that of `lww`: what the resolver did, for a log or an event. */
  readonly failed?: { readonly reason: string; readonly cause?: unknown };
  /** Set when the resolver took longer than it should, ms, for a log. */
  readonly slowMs?: number;
}

/** A merge may be larger than its parts are allowed to be; how deep it may be is what SQLite can read. */
const RESULT_LIMITS = { documentBytesMax: Number.MAX_SAFE_INTEGER, documentDepthMax: 1000 };

/**
 * R3: what readers see of a document. No visible version: null; one: its value, untouched; several: the resolver's answer.
 * A resolver that throws or returns no JSON object is replaced by `lww`, for this document and this time. The answer of a slow
 * one counts: nodes would never agree if what they show depended on how busy they are.
 */
export function resolveDocument(
  document: DocumentState,
  resolver: Resolver,
  options: ResolveOptions = {},
): ResolvedDocument {
  const siblings = visibleVersions(document);
  if (siblings.length === 0) return { text: null };
  if (siblings.length === 1) return { text: siblings[0]!.value };
  const begun = options.monotonic?.() ?? 0;
  let text: string;
  try {
    // Copies: a resolver that changes what it is given would change what is stored, and that is then taken for damaged.
    text = resolver.resolve(siblings.map((version) => ({ ...version })));
  } catch (cause) {
    return fallBack(siblings, { reason: 'threw', cause });
  }
  const tookMs = options.monotonic === undefined ? 0 : options.monotonic() - begun;
  const isSlow = tookMs > (options.resolverMsMax ?? TIMES.resolverMsMax);
  const resolved = checkAnswer(text, siblings);
  return isSlow ? { ...resolved, slowMs: Math.round(tookMs) } : resolved;
}

function checkAnswer(text: unknown, siblings: readonly Version[]): ResolvedDocument {
  if (typeof text !== 'string') return fallBack(siblings, { reason: 'returned no text' });
  if (siblings.some((v) => v.value === text)) return { text };
  const problem = checkDocumentText(text, RESULT_LIMITS);
  return problem === undefined
    ? { text }
    : fallBack(siblings, { reason: `returned what is no document: it ${problem.what}` });
}

function fallBack(siblings: readonly Version[], failed: NonNullable<ResolvedDocument['failed']>): ResolvedDocument {
  return { text: lww.resolve(siblings), failed };
}
