import type { Clock } from '../../core/clock/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Address, Channel, Listener, Transport } from '../../net/index.ts';

/** Time between two checks of the port, ms. */
const WATCH_MS = 1000;

export interface ListeningPortOptions {
  /** Whether to listen on loopback only. */
  readonly isLocal: boolean;
  /** 0 picks a free port, which is then kept. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChannel: (channel: Channel) => void;
}

/** The port on which peers reach this node. It is watched once it was open: a lost port is retried until it is open again. */
export class ListeningPort {
  readonly #options: ListeningPortOptions;
  #port: number;
  #transport: Transport | undefined;
  #listener: Listener | undefined;
  #problem: string | null = null;
  #working: Promise<void> = Promise.resolve();
  #cancelWatch: () => void = () => {};

  constructor(options: ListeningPortOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** Null if nobody can connect at present. */
  get address(): Address | null {
    return this.#listener?.isListening ? this.#listener.address : null;
  }

  /** The port that is open, or was open and is being retried. */
  get port(): number {
    return this.#port;
  }

  /** Why the port is lost; null if it is not. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Rejects with NETWORK_ERROR (PORT_IN_USE, LISTEN_FAILED); then nothing is open, and nothing is watched. */
  async open(transport: Transport): Promise<void> {
    this.#listener = await this.#listen(transport);
    this.#port = this.#listener.address.port;
    this.keep(transport);
  }

  /** Opens the port as soon as possible, and watches it from now on. */
  keep(transport: Transport): void {
    this.#transport = transport;
    this.#cancelWatch();
    this.#watch(this.#listener === undefined ? 0 : WATCH_MS);
  }

  async close(): Promise<void> {
    this.#transport = undefined;
    this.#cancelWatch();
    await this.#working;
    await this.#listener?.close();
    this.#listener = undefined;
    this.#problem = null;
  }

  #watch(delayMs: number): void {
    this.#cancelWatch = this.#options.clock.setTimer(delayMs, () => {
      if (this.#listener?.isListening) return this.#watch(WATCH_MS);
      this.#working = this.#listenAgain().finally(() => {
        if (this.#transport !== undefined) this.#watch(WATCH_MS);
      });
    });
  }

  async #listenAgain(): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#listener?.close();
      this.#listener = await this.#listen(this.#transport!);
      this.#port = this.#listener.address.port;
      this.#problem = null;
      logger.info({ address: this.address }, 'the listening port is open again');
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) logger.error({ err: error }, 'the listening port is lost; it is tried again');
      this.#problem = message;
    }
  }

  /** Listens on all addresses or on loopback only; on hosts without IPv6, on IPv4. */
  async #listen(transport: Transport): Promise<Listener> {
    const { isLocal, onChannel } = this.#options;
    const port = this.#port;
    if (isLocal) return transport.listen({ host: '127.0.0.1', port, onChannel });
    try {
      return await transport.listen({ host: '::', port, onChannel });
    } catch (error) {
      if (!isEntglDbError(error, 'LISTEN_FAILED')) throw error;
      return transport.listen({ host: '0.0.0.0', port, onChannel });
    }
  }
}
