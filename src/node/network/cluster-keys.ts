import { isDeepStrictEqual } from 'node:util';
import { type BeaconKey, deriveBeaconKey } from '../../net/discovery/index.ts';
import { type ClusterKey, deriveClusterKey, fingerprintOf, loopbackKey } from '../../net/tcp/index.ts';

/** The keys of the cluster's tokens: of the current one, then of the previous one. */
export class ClusterKeys {
  #tokens: readonly string[];
  #keys: readonly ClusterKey[] = [];

  /** No tokens: the node talks only to nodes without a token on its own machine. */
  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isWithoutToken(): boolean {
    return this.#tokens.length === 0;
  }

  get all(): readonly ClusterKey[] {
    return this.#keys;
  }

  get ofBeacons(): BeaconKey[] {
    return this.#keys.map(({ beacon }) => deriveBeaconKey(beacon));
  }

  /** Fingerprint of the current token; null if there is none. */
  get fingerprint(): string | null {
    const [key] = this.#keys;
    return key === undefined || key.loopbackOnly ? null : fingerprintOf(key);
  }

  /** Rejects with CONFIG_ERROR TOKEN_WEAK. */
  async derive(): Promise<void> {
    this.#keys = this.isWithoutToken ? [loopbackKey()] : await deriveAll(this.#tokens);
  }

  /**
   * Takes over new tokens, unless the node had none or is given none. Resolves with whether they changed. Rejects with CONFIG_ERROR
   * TOKEN_WEAK, with nothing changed.
   */
  async change(tokens: readonly string[]): Promise<boolean> {
    if (tokens.length === 0 || this.isWithoutToken || isDeepStrictEqual(tokens, this.#tokens)) return false;
    this.#keys = await deriveAll(tokens);
    this.#tokens = tokens;
    return true;
  }
}

function deriveAll(tokens: readonly string[]): Promise<ClusterKey[]> {
  return Promise.all(tokens.map(deriveClusterKey));
}
