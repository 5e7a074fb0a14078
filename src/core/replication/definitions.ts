import type { CollectionName } from '../ids/index.ts';

/** How a node's program defines a collection, as nodes tell each other. */
export interface CollectionDefinition {
  readonly collection: CollectionName;
  /** `name@revision`. */
  readonly resolver: string;
  /** Version of the documents' shape; null: the program defines none. */
  readonly version: number | null;
  /** Digest of the input that the schema accepts, 32 hex digits; null: no schema, or one that cannot describe its input. */
  readonly schema: string | null;
}

/** All definitions of a node's program. */
export interface NodeDefinitions {
  /** Resolver (`name@revision`) of each collection with another one than the default, whose key is `*`. */
  readonly resolvers: ReadonlyMap<string, string>;
  readonly collections: ReadonlyMap<CollectionName, CollectionDefinition>;
}

/** A difference between the definitions of one collection in the programs of two nodes. */
export interface DefinitionMismatch {
  /** Name of the collection; `*`: all collections without a resolver of their own. */
  readonly collection: string;
  readonly part: 'resolver' | 'version' | 'schema';
  /** This node's value: `name@revision` of a resolver, a version number, or the digest of a schema. */
  readonly ours: string;
  /** The peer's value. */
  readonly theirs: string;
}

/**
 * R3: nodes must agree on the resolver of a collection. Versions and schemas are compared only if both programs define
 * them, since a node without a program of its own keeps and relays documents of any shape. Schemas of different versions
 * are not compared: they are expected to differ.
 */
export function* compareDefinitions(ours: NodeDefinitions, theirs: NodeDefinitions): Generator<DefinitionMismatch> {
  for (const collection of new Set([...namesOf(ours), ...namesOf(theirs)])) {
    const [our, their] = [resolverIn(ours, collection), resolverIn(theirs, collection)];
    if (our !== their) yield { collection, part: 'resolver', ours: our, theirs: their };
    const a = ours.collections.get(collection as CollectionName);
    const b = theirs.collections.get(collection as CollectionName);
    if (a === undefined || b === undefined || a.version === null || b.version === null) continue;
    if (a.version !== b.version)
      yield { collection, part: 'version', ours: String(a.version), theirs: String(b.version) };
    else if (a.schema !== null && b.schema !== null && a.schema !== b.schema)
      yield { collection, part: 'schema', ours: a.schema, theirs: b.schema };
  }
}

function namesOf({ resolvers, collections }: NodeDefinitions): string[] {
  return [...resolvers.keys(), ...collections.keys()];
}

function resolverIn({ resolvers, collections }: NodeDefinitions, collection: string): string {
  return (
    collections.get(collection as CollectionName)?.resolver ?? resolvers.get(collection) ?? resolvers.get('*') ?? ''
  );
}
