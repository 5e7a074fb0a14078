import { isDeepStrictEqual } from 'node:util';
import { type BeaconKey, deriveBeaconKey } from '../../net/discovery/index.ts';
import { type ClusterKey, deriveClusterKey, fingerprintOf, loopbackKey } from '../../net/tcp/index.ts';

/** The keys of the cluster's tokens: of the one that holds, then of the one before it. */
export class ClusterKeys {
  #tokens: readonly string[];
  #keys: readonly ClusterKey[] = [];

  /** Empty: a node that speaks to nodes without a token on its own machine. */
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

  /** Of the token that holds; null: there is none. */
  get fingerprint(): string | null {
    const [key] = this.#keys;
    return key === undefined || key.loopbackOnly ? null : fingerprintOf(key);
  }

  /** Rejects with CONFIG_ERROR TOKEN_WEAK. */
  async derive(): Promise<void> {
    this.#keys = this.isWithoutToken ? [loopbackKey()] : await deriveAll(this.#tokens);
  }

  /**
   * Takes other tokens over, unless there was none or is to be none. Resolves with whether they are others. Rejects with CONFIG_ERROR
   * TOKEN_WEAK, and then nothing has changed.
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
