import type { NodeDatabase, OfflineQueue } from 'entgldb';

export interface User {
  readonly name: string;
}

/** Users in the database. Operations for another system wait in the offline queue until it can be reached. */
export class UsersService {
  readonly #database: NodeDatabase;
  readonly #offlineQueue: OfflineQueue;

  constructor(database: NodeDatabase, offlineQueue: OfflineQueue) {
    this.#database = database;
    this.#offlineQueue = offlineQueue;
  }

  async add(key: string, user: User): Promise<void> {
    await this.#database.collection<User>('users').put(key, user);
    await this.#offlineQueue.enqueue({ type: 'put', collection: 'users', key, data: user });
  }

  /** Sends queued operations to the other system. Those that fail stay queued. Resolves with the number that failed. */
  async tellOthers(send: (key: string, user: unknown, idempotencyKey: string) => Promise<void>): Promise<number> {
    const { failed } = await this.#offlineQueue.flush((op, { idempotencyKey }) =>
      send(op.key, op.data, idempotencyKey),
    );
    return failed;
  }
}
