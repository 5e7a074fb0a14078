import { TIMES } from '../config/index.ts';
import { checkDocumentText, type DocumentState, STORABLE, visibleVersions } from '../document/index.ts';
import type { Version } from '../version/index.ts';
import { lww } from './lww.ts';
import type { Resolver } from './resolver.ts';

export interface ResolveOptions {
  /** A clock in ms that never decreases. Without it, the resolver's time is not measured. */
  readonly monotonic?: () => number;
  /** Default `TIMES.resolverMsMax`, 10. */
  readonly resolverMsMax?: number;
}

export interface ResolvedDocument {
  /** What readers see: JSON text of an object, or null if the document does not exist. */
  readonly text: string | null;
  /** Set if the resolver failed and `lww` made `text` instead: what went wrong, for a log or an event. */
  readonly failed?: { readonly reason: string; readonly cause?: unknown };
  /** Set if the resolver took longer than it should: how long, ms. */
  readonly slowMs?: number;
}

/**
 * R3: what readers see of a document. No visible version: null; one: its value, unchanged; several: the resolver's answer.
 * If the resolver throws or returns anything but a JSON object, `lww` decides this one time. The answer of a slow resolver
 * counts: nodes would not agree if what they show depended on how busy they are.
 */
export function resolveDocument(
  document: DocumentState,
  resolver: Resolver,
  options: ResolveOptions = {},
): ResolvedDocument {
  const siblings = visibleVersions(document);
  if (siblings.length === 0) return { text: null };
  if (siblings.length === 1) return { text: siblings[0]!.value };
  const startedMs = options.monotonic?.() ?? 0;
  let text: string;
  try {
    // Copies: a resolver that changed what it is given would change the stored versions, which then look damaged.
    text = resolver.resolve(siblings.map((version) => ({ ...version })));
  } catch (cause) {
    return fallBack(siblings, { reason: 'threw', cause });
  }
  const tookMs = options.monotonic === undefined ? 0 : options.monotonic() - startedMs;
  const isSlow = tookMs > (options.resolverMsMax ?? TIMES.resolverMsMax);
  const resolved = checkAnswer(text, siblings);
  return isSlow ? { ...resolved, slowMs: Math.round(tookMs) } : resolved;
}

function checkAnswer(text: unknown, siblings: readonly Version[]): ResolvedDocument {
  if (typeof text !== 'string') return fallBack(siblings, { reason: 'returned no text' });
  if (siblings.some((v) => v.value === text)) return { text };
  const problem = checkDocumentText(text, STORABLE);
  return problem === undefined
    ? { text }
    : fallBack(siblings, { reason: `returned what is no document: it ${problem.what}` });
}

function fallBack(siblings: readonly Version[], failed: NonNullable<ResolvedDocument['failed']>): ResolvedDocument {
  return { text: lww.resolve(siblings), failed };
}
