import type { CollectionName } from '../ids/index.ts';

/** What the program of a node said of a collection, as nodes tell it each other. */
export interface CollectionDefinition {
  readonly collection: CollectionName;
  /** `name@revision`. */
  readonly resolver: string;
  /** Version of the documents' shape; null: the program says nothing of shapes. */
  readonly version: number | null;
  /** 32 hex digits over what the schema takes; null: there is no schema, or it cannot tell. */
  readonly schema: string | null;
}

/** All that a node said of collections. */
export interface NodeDefinitions {
  /** `name@revision` of each collection that has another resolver than the default; key `*` names the default. */
  readonly resolvers: ReadonlyMap<string, string>;
  readonly collections: ReadonlyMap<CollectionName, CollectionDefinition>;
}

/** Two nodes' programs define a collection differently. */
export interface DefinitionMismatch {
  /** `*`: the resolver of all collections that have none of their own. */
  readonly collection: string;
  readonly part: 'resolver' | 'version' | 'schema';
  readonly ours: string;
  readonly theirs: string;
}

/**
 * R3: nodes must agree on the resolver of a collection. Of shapes is compared what both programs said: a node without a
 * program of its own keeps and relays documents of any shape. Schemas of different versions may differ, that is what
 * versions are for.
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
