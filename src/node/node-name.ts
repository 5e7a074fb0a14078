/** Name of the metadata entry in which the database keeps the name of its node. */
export const NODE_ID = 'node-id';
