import type { Role } from './device-proof.ts';

/** How many connections are remembered; more than can be in progress at the same time. Beyond that, the oldest is forgotten. */
const CONNECTIONS_MAX = 256;

/**
 * Distinguishes a node that dialled itself from one that met a copy of itself (R9). In both cases the peer shows this node's device
 * key. But exported keying material belongs to one connection: only if both ends are in this process does it see the same material
 * in both roles.
 */
export class OwnEnds {
  readonly #rolesByConnection = new Map<string, Set<Role>>();

  /** Call when an end of this node begins its proof. */
  note(role: Role, exported: Uint8Array): void {
    const id = Buffer.from(exported).toString('base64');
    const roles = this.#rolesByConnection.get(id) ?? new Set();
    this.#rolesByConnection.set(id, roles.add(role));
    if (this.#rolesByConnection.size <= CONNECTIONS_MAX) return;
    this.#rolesByConnection.delete(this.#rolesByConnection.keys().next().value!);
  }

  /** Whether both ends of the connection belong to this node. */
  has(exported: Uint8Array): boolean {
    return this.#rolesByConnection.get(Buffer.from(exported).toString('base64'))?.size === 2;
  }
}
