import type { Clock } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { type PeerRefusal, PeerRefusals } from '../../diagnostics/index.ts';
import type { DiscoveryEvent } from '../../net/discovery/index.ts';
import type { Channel, Transport } from '../../net/index.ts';
import type { DialRefusal } from '../../net/tcp/index.ts';
import { type SessionRunner, speaksWith } from '../../sync/index.ts';

/** Follows the network for peers that are refused, at either end, and for those that get in after all. */
export class KeptOut {
  readonly #refusals: PeerRefusals;

  constructor(clock: Clock, limits: Pick<Limits, 'refusalAddressesMax'>) {
    this.#refusals = new PeerRefusals(clock, limits);
  }

  list(): PeerRefusal[] {
    return this.#refusals.list();
  }

  /** Wraps a transport to notice which dials are refused. */
  watch(transport: Pick<Transport, 'dial'>): Pick<Transport, 'dial'> {
    return {
      dial: async (address, options) => {
        try {
          const channel = await transport.dial(address, options);
          this.#refusals.connected({ ...address, hasGreeted: false });
          return channel;
        } catch (error) {
          const { refusal } = isEntglDbError(error) ? (error.details as { refusal?: DialRefusal }) : {};
          if (refusal !== undefined) this.#refusals.refused({ ...address, cause: refusal });
          throw error;
        }
      },
    };
  }

  /** Someone dialled this node with the token of another cluster. */
  otherToken(host: string): void {
    this.#refusals.refused({ host, port: null, cause: 'other-token' });
  }

  accepted({ remote }: Channel): void {
    this.#refusals.connected({ host: remote.host, port: null, hasGreeted: false });
  }

  greeted(channel: Channel): void {
    this.#refusals.connected({ ...listeningAddress(channel), hasGreeted: true });
  }

  ended({ peer, channel }: SessionRunner): void {
    if (peer !== undefined && !speaksWith(peer))
      this.#refusals.refused({ ...listeningAddress(channel), cause: 'other-protocol' });
  }

  discovered(event: DiscoveryEvent): void {
    if (event.kind === 'foreign') this.#refusals.refused({ ...event.address, cause: 'other-token', isOnlyHeard: true });
    if (!('peer' in event)) return;
    for (const address of event.peer.addresses) this.#refusals.connected({ ...address, hasGreeted: false });
  }
}

/** Without the port if the other end dialled: it does not dial from the port that it listens on. */
function listeningAddress({ remote, dialled }: Channel): { host: string; port: number | null } {
  return { host: remote.host, port: dialled ? remote.port : null };
}
