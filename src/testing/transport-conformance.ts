import assert from 'node:assert/strict';
import { isEntglDbError } from '../core/errors/index.ts';
import type { Address, Channel, Listener, Transport } from '../net/index.ts';

/** Two new transports that can reach each other, for one test. */
export interface TransportPair {
  readonly a: Transport;
  readonly b: Transport;
  readonly aKey: string;
  readonly bKey: string;
  /** Where `b` may listen; port 0. */
  readonly bHost: string;
  /** Bounds of both transports; small ones keep the suite fast. */
  readonly frameBytesMax: number;
  readonly channelBufferBytesMax: number;
  /** Lets the network run until the condition holds; rejects after a generous time. */
  until(condition: () => boolean): Promise<void>;
  /** Lets everything on its way arrive. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface TransportConformanceOptions {
  /** The test function of your runner. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** Creates a pair of transports for one test. */
  readonly factory: () => Promise<TransportPair>;
}

/** A channel, and everything that it has delivered so far. */
class Recorder {
  readonly channel: Channel;
  readonly frames: Uint8Array[] = [];
  readonly closings: string[] = [];
  drains = 0;

  constructor(channel: Channel) {
    this.channel = channel;
    channel.onFrame = (frame) => this.frames.push(frame);
    channel.onDrain = () => this.drains++;
    channel.onClose = (reason) => this.closings.push(reason);
  }
}

/** A pair with `b` listening; `connect` makes a channel between the two. */
class Bench {
  readonly pair: TransportPair;
  readonly accepted: readonly Recorder[];
  readonly listener: Listener;

  private constructor(pair: TransportPair, listener: Listener, accepted: Recorder[]) {
    this.pair = pair;
    this.listener = listener;
    this.accepted = accepted;
  }

  static async open(pair: TransportPair, greeting?: Uint8Array): Promise<Bench> {
    const accepted: Recorder[] = [];
    const listener = await pair.b.listen({
      host: pair.bHost,
      port: 0,
      onChannel: (channel) => {
        accepted.push(new Recorder(channel));
        if (greeting !== undefined) channel.send(greeting);
      },
    });
    return new Bench(pair, listener, accepted);
  }

  get address(): Address {
    return this.listener.address;
  }

  async dial(from: Transport = this.pair.a): Promise<Recorder> {
    return new Recorder(await this.outcome(from.dial(this.address)));
  }

  async connect(): Promise<{ dialled: Recorder; accepted: Recorder }> {
    const before = this.accepted.length;
    const dialled = await this.dial();
    await this.pair.until(() => this.accepted.length > before);
    return { dialled, accepted: this.accepted[before]! };
  }

  /** Lets the network run until the promise settles, and returns its result. */
  async outcome<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.pair.until(() => isSettled);
    return promise;
  }
}

/** Registers the tests of the contract in `net/transport.ts` for an implementation. */
export function runTransportConformance({ test, factory }: TransportConformanceOptions): void {
  const check = (name: string, run: (bench: Bench) => Promise<void>, greeting?: Uint8Array): void => {
    test(name, async () => {
      const pair = await factory();
      try {
        await run(await Bench.open(pair, greeting));
      } finally {
        await pair.close();
      }
    });
  };

  check('both ends of a channel know the device key of the other, and who dialled', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    assert.equal(dialled.channel.peerKey, bench.pair.bKey);
    assert.equal(dialled.channel.ownKey, bench.pair.aKey);
    assert.equal(accepted.channel.peerKey, bench.pair.aKey);
    assert.equal(accepted.channel.ownKey, bench.pair.bKey);
    assert.deepEqual([dialled.channel.dialled, accepted.channel.dialled], [true, false]);
    assert.deepEqual(dialled.channel.remote, bench.address);
  });

  check('a listener on port 0 reports the port that it took', async (bench) => {
    assert.ok(bench.address.port > 0);
  });

  check(
    'frames of all sizes arrive whole, in order and unchanged, in both directions simultaneously',
    async (bench) => {
      const { dialled, accepted } = await bench.connect();
      const sizes = [1, 2, 97, 1000, 16_383, 16_384, 16_385, 70_000, bench.pair.frameBytesMax];
      const sent = sizes.map((size, i) => Uint8Array.from({ length: size }, (_, at) => (at * 31 + i) % 256));
      for (const frame of sent) {
        dialled.channel.send(frame);
        accepted.channel.send(frame);
      }
      await bench.pair.until(() => accepted.frames.length === sent.length && dialled.frames.length === sent.length);
      for (const [i, frame] of sent.entries()) {
        assert.equal(Buffer.compare(accepted.frames[i]!, frame), 0);
        assert.equal(Buffer.compare(dialled.frames[i]!, frame), 0);
      }
    },
  );

  check('many small frames sent together arrive in order', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    for (let i = 0; i < 5000; i++) dialled.channel.send(Uint8Array.of(i >> 8, i & 255));
    await bench.pair.until(() => accepted.frames.length === 5000);
    assert.ok(accepted.frames.every((frame, i) => frame[0] === i >> 8 && frame[1] === (i & 255)));
  });

  check(
    'a frame sent before the dialling end has its channel is not lost',
    async (bench) => {
      const { dialled } = await bench.connect();
      await bench.pair.until(() => dialled.frames.length === 1);
      assert.deepEqual([...dialled.frames[0]!], [1, 2, 3]);
    },
    Uint8Array.of(1, 2, 3),
  );

  check('both ends count the same bytes, at least those of the frames', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    dialled.channel.send(new Uint8Array(5000));
    accepted.channel.send(new Uint8Array(300));
    await bench.pair.until(() => accepted.frames.length === 1 && dialled.frames.length === 1);
    assert.equal(dialled.channel.bytesSent, accepted.channel.bytesReceived);
    assert.equal(accepted.channel.bytesSent, dialled.channel.bytesReceived);
    assert.ok(dialled.channel.bytesSent >= 5000 && accepted.channel.bytesSent >= 300);
  });

  check('send returns false while the peer lags behind, and onDrain says when to continue', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    const frame = new Uint8Array(Math.min(bench.pair.frameBytesMax, bench.pair.channelBufferBytesMax >> 3)).fill(7);
    let sent = 0;
    let hasRoom = true;
    while (hasRoom) {
      hasRoom = dialled.channel.send(frame);
      sent++;
      assert.ok(sent < 1000, 'send never says false');
    }
    await bench.pair.until(() => dialled.drains > 0);
    assert.equal(dialled.channel.send(frame), true);
    await bench.pair.until(() => accepted.frames.length === sent + 1);
  });

  check('a channel whose buffer overflows closes as slow, once', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    const frame = new Uint8Array(bench.pair.frameBytesMax);
    const attempts = Math.ceil((64 * bench.pair.channelBufferBytesMax) / frame.length);
    for (let i = 0; i < attempts; i++) dialled.channel.send(frame);
    await bench.pair.until(() => dialled.closings.length > 0 && accepted.closings.length > 0);
    await bench.pair.settle();
    assert.deepEqual(dialled.closings, ['slow']);
    assert.equal(accepted.closings.length, 1);
    assert.ok(accepted.frames.length < attempts);
  });

  check('a frame above the bound closes the channel at both ends and is not delivered', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    dialled.channel.send(new Uint8Array(bench.pair.frameBytesMax + 1));
    await bench.pair.until(() => accepted.closings.length === 1 && dialled.closings.length === 1);
    assert.deepEqual(accepted.frames, []);
    assert.deepEqual(accepted.closings, ['frame too large']);
  });

  check('frames sent just before close still arrive, then both ends are told of the end once', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    for (let i = 0; i < 20; i++) dialled.channel.send(new Uint8Array(1000).fill(i));
    dialled.channel.close('bye');
    dialled.channel.close('again');
    assert.equal(dialled.channel.send(Uint8Array.of(1)), false);
    await bench.pair.until(() => accepted.closings.length === 1 && dialled.closings.length === 1);
    await bench.pair.settle();
    assert.equal(accepted.frames.length, 20);
    assert.deepEqual(dialled.closings, ['bye']);
    assert.deepEqual(accepted.closings, ['ended']);
  });

  check('after close nothing is delivered, not even frames on their way', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    accepted.channel.send(new Uint8Array(1000));
    dialled.channel.close();
    await bench.pair.until(() => accepted.closings.length === 1);
    await bench.pair.settle();
    assert.deepEqual(dialled.frames, []);
    assert.deepEqual(dialled.closings, ['closed']);
  });

  check('a channel may be closed from within its own frame', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    accepted.channel.onFrame = (frame) => {
      accepted.frames.push(frame);
      accepted.channel.close('enough');
      assert.deepEqual(accepted.closings, [], 'onClose came from within close');
    };
    for (let i = 0; i < 10; i++) dialled.channel.send(Uint8Array.of(i));
    await bench.pair.until(() => dialled.closings.length === 1 && accepted.closings.length === 1);
    assert.equal(accepted.frames.length, 1);
    assert.deepEqual(accepted.closings, ['enough']);
  });

  check('two channels between the same nodes are independent', async (bench) => {
    const first = await bench.connect();
    const second = await bench.connect();
    first.dialled.channel.send(Uint8Array.of(1));
    second.dialled.channel.send(Uint8Array.of(2));
    await bench.pair.until(() => first.accepted.frames.length === 1 && second.accepted.frames.length === 1);
    first.dialled.channel.close();
    await bench.pair.until(() => first.accepted.closings.length === 1);
    second.accepted.channel.send(Uint8Array.of(3));
    await bench.pair.until(() => second.dialled.frames.length === 1);
    assert.deepEqual([...second.accepted.frames[0]!, ...second.dialled.frames[0]!], [2, 3]);
    assert.deepEqual(second.accepted.closings, []);
  });

  check('after the listener has closed nobody can connect, and open channels stay', async (bench) => {
    const { dialled, accepted } = await bench.connect();
    await bench.outcome(bench.listener.close());
    await assert.rejects(bench.dial(), (error) => isEntglDbError(error, 'NETWORK_ERROR'));
    dialled.channel.send(Uint8Array.of(9));
    await bench.pair.until(() => accepted.frames.length === 1);
  });

  check('a port that is taken is refused with its number', async (bench) => {
    const again = bench.pair.a.listen({ ...bench.address, onChannel: () => {} });
    await assert.rejects(bench.outcome(again), (error) => {
      assert.ok(isEntglDbError(error, 'PORT_IN_USE'));
      return error.details.port === bench.address.port && error.message.includes(String(bench.address.port));
    });
  });

  check('a dial to where nobody listens fails as CONNECT_FAILED', async (bench) => {
    const { address } = bench;
    await bench.outcome(bench.listener.close());
    const dialled = bench.outcome(bench.pair.a.dial(address));
    await assert.rejects(dialled, (error) => isEntglDbError(error, 'CONNECT_FAILED'));
  });

  check('a dial to itself is refused as SELF_CONNECTION', async (bench) => {
    await assert.rejects(bench.dial(bench.pair.b), (error) => isEntglDbError(error, 'SELF_CONNECTION'));
    await bench.pair.settle();
    assert.deepEqual(bench.accepted, []);
  });

  check('a dial ends with the reason of its signal, whether aborted before or during it', async (bench) => {
    const reason = new Error('enough');
    const aborted = bench.pair.a.dial(bench.address, { signal: AbortSignal.abort(reason) });
    await assert.rejects(bench.outcome(aborted), (error) => error === reason);
    const controller = new AbortController();
    const dialling = bench.pair.a.dial(bench.address, { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(bench.outcome(dialling), (error) => error === reason);
    await bench.pair.settle();
    assert.ok(bench.accepted.every((recorder) => recorder.closings.length === 1));
  });
}
