/** JSON schemas of path and query parts that several routes share. */
const collection = { type: 'string', minLength: 1, description: 'Name of the collection' } as const;
const key = { type: 'string', minLength: 1, description: 'Key of the document' } as const;

export const collectionParams = {
  type: 'object',
  required: ['collection'],
  properties: { collection },
} as const;

export const documentParams = {
  type: 'object',
  required: ['collection', 'key'],
  properties: { collection, key },
} as const;

export interface CollectionParams {
  readonly collection: string;
}

export interface DocumentParams extends CollectionParams {
  readonly key: string;
}

/** An object whose members are judged elsewhere: a document, a filter. */
export const anyObject = { type: 'object', additionalProperties: true } as const;
