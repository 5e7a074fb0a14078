import type { Role } from './device-proof.ts';

/** Connections remembered, more than can be on their way at the same time. Beyond it, the oldest is forgotten. */
const CONNECTIONS_MAX = 256;

/**
 * Tells a node that has dialled itself from one that has met a copy of itself (R9): both show the own device key, but only where both
 * ends are in this process has it seen the same exported keying material in both roles, since that is of one connection alone.
 */
export class OwnEnds {
  readonly #rolesByConnection = new Map<string, Set<Role>>();

  /** An end of this node begins to prove itself. */
  note(role: Role, exported: Uint8Array): void {
    const id = Buffer.from(exported).toString('base64');
    const roles = this.#rolesByConnection.get(id) ?? new Set();
    this.#rolesByConnection.set(id, roles.add(role));
    if (this.#rolesByConnection.size <= CONNECTIONS_MAX) return;
    this.#rolesByConnection.delete(this.#rolesByConnection.keys().next().value!);
  }

  /** Whether both ends of the connection are of this node. */
  has(exported: Uint8Array): boolean {
    return this.#rolesByConnection.get(Buffer.from(exported).toString('base64'))?.size === 2;
  }
}
