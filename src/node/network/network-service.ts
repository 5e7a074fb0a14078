import { randomUUID } from 'node:crypto';
import { type ClockAssessment, epochMs } from '../../core/clock/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { PeerTrouble } from '../../core/replication/index.ts';
import { RetryPolicy } from '../../core/retry/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import type { PeerRefusal } from '../../diagnostics/index.ts';
import { createUdpPort, Discovery, type DiscoveryEvent } from '../../net/discovery/index.ts';
import type { Address, Channel } from '../../net/index.ts';
import { addressText, Supervisor } from '../../net/peers/index.ts';
import { createTlsTransport, type DeviceKey, type TlsTransport } from '../../net/tcp/index.ts';
import { createSessionCodec, type SessionEvent, type SessionRunner, SyncHost } from '../../sync/index.ts';
import { ClusterKeys } from './cluster-keys.ts';
import { linkProblem } from './followed-peer.ts';
import { KeptOut } from './kept-out.ts';
import { ListeningPort } from './listening-port.ts';
import type { NetworkDeps, NetworkOptions, NetworkSettings } from './network-options.ts';
import { NodeIdentity } from './node-identity.ts';
import { ownHello } from './own-hello.ts';
import { PeerProgress } from './peer-progress.ts';
import { type PeerStatus, peerStatuses } from './peer-status.ts';
import { SessionSettings } from './session-settings.ts';
import { WallClockWatch } from './wall-clock-watch.ts';

/** Everything between the database and the network: transport, discovery, supervisor and sessions, wired together. */
export class NetworkService {
  readonly #options: NetworkOptions;
  readonly #deps: NetworkDeps;
  readonly #progress = new PeerProgress();
  readonly #startId: string = randomUUID();
  readonly #sessions: SessionSettings;
  readonly #host: SyncHost;
  readonly #wallClock: WallClockWatch;
  readonly #keptOut: KeptOut;
  readonly #keys: ClusterKeys;
  readonly #identity: NodeIdentity;
  readonly #relaysAll = (): boolean => this.#deps.database.wants.isAll;
  #settings: NetworkSettings;
  #retry: RetryPolicy | undefined;
  #transport: TlsTransport | undefined;
  readonly #listening: ListeningPort;
  #supervisor: Supervisor | undefined;
  #discovery: Discovery | undefined;
  #udpPort: number | undefined;
  #isPaused = false;
  #isClosed = false;
  #changing: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => {};

  constructor(options: NetworkOptions, deps: NetworkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#settings = options.settings;
    this.#keys = new ClusterKeys(options.clusterTokens);
    this.#sessions = new SessionSettings(options);
    this.#identity = new NodeIdentity(options, {
      ...deps,
      endSessions: () => this.#host.closeAll('identity'),
      reopenAfter: (renew) => this.#reopenAfter(renew),
    });
    const { clock, logger } = deps;
    this.#keptOut = new KeptOut(clock, options.limits);
    const onChannel = (channel: Channel): void => {
      this.#keptOut.accepted(channel);
      this.#supervisor!.accept(channel);
    };
    this.#listening = new ListeningPort({ isLocal: this.#isLocal(), port: options.tcpPort, clock, logger, onChannel });
    this.#host = this.#createHost();
    this.#wallClock = new WallClockWatch(clock, options.clockDriftMsMax / 2, (stepMs) => this.#clockSet(stepMs));
  }

  /** True while at least one peer is connected. */
  get isOnline(): boolean {
    return this.#progress.connected > 0;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get progress(): PeerProgress {
    return this.#progress;
  }

  get tcpAddress(): Address | null {
    return this.#listening.address;
  }

  /** Why the node does not listen; null if it does, or should not. */
  get listenProblem(): string | null {
    return this.#listening.problem;
  }

  get udpAddress(): Address | null {
    return this.#udpPort === undefined
      ? null
      : { host: this.#isLocal() ? '127.0.0.1' : '0.0.0.0', port: this.#udpPort };
  }

  get bytes(): { readonly sent: number; readonly received: number } {
    return { sent: this.#transport?.counts.bytesSent ?? 0, received: this.#transport?.counts.bytesReceived ?? 0 };
  }

  /** Peers that are refused, at either end, until somebody changes something. */
  refusals(): PeerRefusal[] {
    return this.#isPaused ? [] : this.#keptOut.list();
  }

  /** Nodes that are there, and whose connections do not come or do not last. */
  troubles(): PeerTrouble[] {
    return this.#isPaused ? [] : (this.#supervisor?.troubles() ?? []);
  }

  /** Fingerprint of this node's cluster token; null if it has none. */
  get tokenFingerprint(): string | null {
    return this.#keys.fingerprint;
  }

  get clock(): ClockAssessment {
    return this.#deps.clocks.assess();
  }

  /** Rejects with NETWORK_ERROR (PORT_IN_USE, LISTEN_FAILED) or CONFIG_ERROR, leaving nothing open. */
  async start(): Promise<void> {
    await this.#identity.load();
    await this.#keys.derive();
    this.#unsubscribe = this.#follow(this.#deps.database.replica);
    await this.#open();
    this.#wallClock.start();
  }

  /**
   * Takes the node off the network, or back: for tests, for demonstrations, for a laptop that must stay silent. Rejects with
   * NETWORK_ERROR (PORT_IN_USE, LISTEN_FAILED) if the node cannot return; it then stays off.
   */
  setPaused(isPaused: boolean): Promise<void> {
    if (this.#isPaused === isPaused) return this.#changing;
    this.#isPaused = isPaused;
    return this.#change(async () => {
      if (isPaused) return this.#shut('closing');
      await this.#open().catch((error: unknown) => {
        this.#isPaused = true;
        throw error;
      });
    });
  }

  /** Takes over settings that may change while the network runs. Returns the device keys of peers that are no longer wanted. */
  reconfigure(settings: NetworkSettings): string[] {
    this.#settings = settings;
    this.#retry?.adjust({ maxAttempts: settings.retryAttempts, delayMs: settings.retryDelayMs });
    this.#sessions.apply(settings);
    this.#host.wakeAll();
    return this.#supervisor?.setKnown(settings.knownPeers) ?? [];
  }

  /**
   * Takes over new tokens, unless the node has none or is given none. Sessions that began with a token that is not among them end.
   * Rejects with CONFIG_ERROR TOKEN_WEAK.
   */
  setTokens(tokens: readonly string[]): Promise<void> {
    return this.#change(async () => {
      if (!(await this.#keys.change(tokens))) return;
      this.#transport?.rotateKeys(this.#keys.all);
      this.#discovery?.setKeys(this.#keys.ofBeacons);
    });
  }

  /** Ends all sessions with a reason; the supervisor makes new ones. */
  endSessions(reason: 'identity' | 'wants' | 'damage' | 'restored'): void {
    this.#host.closeAll(reason);
  }

  /** The open sessions. */
  openSessions(): SessionRunner[] {
    return [...this.#host.sessions()].filter(({ isOpen }) => isOpen);
  }

  peers(): PeerStatus[] {
    return peerStatuses(this.#supervisor?.status() ?? [], this.#progress, this.#host.sessions());
  }

  /** Says goodbye to all peers and releases every port. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wallClock.stop();
    this.#unsubscribe();
    await this.#change(() => this.#shut('closing'));
  }

  #clockSet(stepMs: number): void {
    this.#deps.logger.warn({ stepMs: Math.round(stepMs) }, 'the clock of this machine was set; it is compared anew');
    this.#host.pingAll();
  }

  /** Tells sessions of every commit and definition, and discovery of the replica id, which a commit or the loss of one can change. */
  #follow(replica: Replica): () => void {
    const announce = (): void => this.#discovery?.setReplica(replica.id);
    const leaveCommits = replica.onCommit(() => {
      this.#host.committed();
      announce();
    });
    const leaveReloads = replica.onReload(announce);
    const leaveDefined = this.#deps.database.definitions.onSaid(() => this.#host.defined());
    return () => {
      leaveDefined();
      leaveCommits();
      leaveReloads();
    };
  }

  /** Runs changes of state one at a time, in order. */
  #change(run: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.catch(() => {}).then(run);
    return this.#changing;
  }

  /** Does nothing once closed. `wait`: if the port is taken, be on the network without it, and retry the port. */
  async #open(whenTaken: 'fail' | 'wait' = 'fail'): Promise<void> {
    if (this.#isClosed) return;
    const { clock, random, logger } = this.#deps;
    const { deviceKey } = this.#identity;
    const { limits } = this.#options;
    this.#transport = createTlsTransport({
      keys: this.#keys.all,
      deviceKey,
      clock,
      limits,
      logger,
      connectMsMax: () => this.#settings.connectionTimeoutMs,
      onTwin: (remote) => this.#identity.metTwin(remote, deviceKey),
      onOtherToken: (host) => this.#keptOut.otherToken(host),
    });
    const { knownPeers, retryAttempts: maxAttempts, retryDelayMs: delayMs } = this.#settings;
    // Silent, because the supervisor logs an absent peer once, instead of each attempt for ever.
    this.#retry = new RetryPolicy({ logger: silentLogger, maxAttempts, delayMs, clock, random });
    this.#supervisor = new Supervisor(
      { ownKey: deviceKey.publicKey, relaysAll: this.#relaysAll, knownPeers, limits },
      {
        transport: this.#keptOut.watch(this.#transport),
        retry: this.#retry,
        clock,
        random,
        logger,
        onLink: (channel) => this.#host.accept(channel),
        onLinkClosed: (channel, reason, isOver) => this.#left(channel, reason, isOver),
      },
    );
    try {
      if (whenTaken === 'fail') await this.#listening.open(this.#transport);
      else this.#listening.keep(this.#transport);
      if (this.#options.enableDiscovery) await this.#discover(deviceKey);
      this.#supervisor.start();
    } catch (error) {
      await this.#shut('closing');
      throw error;
    }
  }

  async #discover(deviceKey: DeviceKey): Promise<void> {
    const { clock, random, logger, database } = this.#deps;
    this.#discovery = new Discovery(
      {
        udpPort: this.#options.udpPort,
        tcpPort: this.#listening.port,
        deviceKey: deviceKey.publicKey,
        replica: database.replica.id,
        relaysAll: this.#relaysAll,
        keys: this.#keys.ofBeacons,
        limits: this.#options.limits,
      },
      {
        port: createUdpPort({ localhostOnly: this.#isLocal() }),
        clock,
        random,
        logger,
        onEvent: (event) => this.#discovered(event),
      },
    );
    this.#udpPort = await this.#discovery.start();
  }

  /** Ends everything and reopens the network under the new identity, if `renew` says that there is a new device key. */
  #reopenAfter(renew: () => Promise<boolean>): Promise<void> {
    return this.#change(async () => {
      if (!(await renew())) return;
      await this.#shut('identity');
      if (!this.#isPaused) await this.#open('wait');
    });
  }

  async #shut(reason: 'closing' | 'identity'): Promise<void> {
    this.#host.closeAll(reason);
    await this.#discovery?.close();
    await this.#supervisor?.close();
    await this.#listening.close();
    await this.#transport?.close();
    this.#discovery = undefined;
    this.#udpPort = undefined;
  }

  #isLocal(): boolean {
    return this.#options.localhostOnly || this.#keys.isWithoutToken;
  }

  #createHost(): SyncHost {
    const { database, clock, logger } = this.#deps;
    const { replica } = database;
    return new SyncHost({
      replica,
      clock,
      logger,
      limits: this.#sessions.limits,
      times: this.#sessions.times,
      hello: () => ownHello(this.#options, database, this.#startId, clock.now()),
      definitions: () => database.definitions.said(),
      createCodec: createSessionCodec,
      soon: setImmediate,
      flush: () => replica.flush(),
      durableCommits: () => replica.durableCommits,
      onForked: (proof) => this.#identity.forked(proof),
      onEvidence: (fork, whose) => this.#identity.heardOfFork(fork, whose),
      onFailure: (error, runner) => this.#deps.onFailure(error, runner.peer?.node ?? runner.channel.remote.host),
      onEvent: (event, runner) => this.#followed(event, runner),
      onSessionClose: (reason, runner) => {
        const fields = { peer: runner.peer?.node, address: runner.channel.remote, reason };
        logger[this.#levelFor(runner)](fields, 'peer disconnected');
        this.#keptOut.ended(runner);
      },
    });
  }

  #followed(event: SessionEvent, runner: SessionRunner): void {
    const { peerKey } = runner.channel;
    this.#progress.follow(peerKey, event, this.#deps.clock.now());
    if (event.kind === 'opened' || event.kind === 'clock')
      this.#deps.clocks.observe(peerKey, event.wallOffsetMs, epochMs(this.#deps.clock));
    if (event.kind === 'opened') {
      this.#supervisor?.nameNode(peerKey, event.hello.node);
      this.#keptOut.greeted(runner.channel);
      const fields = { peer: event.hello.node, address: runner.channel.remote };
      this.#deps.logger[this.#levelFor(runner)](fields, 'peer connected');
    }
    if (event.kind === 'definitions')
      this.#deps.logger.info(
        { peer: runner.peer?.node, ...event },
        'what differs between the definitions of two nodes',
      );
    const node = event.kind === 'opened' ? event.hello.node : (runner.peer?.node ?? '');
    const address = addressText(runner.channel.remote);
    this.#deps.onEvent(event, { deviceKey: peerKey, node, address }, runner);
  }

  /** Links that come and go every few seconds were reported together, and must not fill the log. */
  #levelFor({ channel }: SessionRunner): 'info' | 'debug' {
    return this.#supervisor?.isRestless(channel.peerKey) ? 'debug' : 'info';
  }

  /** A peer whose link was replaced stays connected: the new link may even have greeted before the old one's end is told. */
  #left({ peerKey }: Channel, reason: string, isOver: boolean): void {
    this.#deps.onLeft(peerKey, linkProblem(reason), isOver);
    if (!isOver) return;
    this.#progress.closed(peerKey);
    this.#deps.clocks.forget(peerKey);
  }

  #discovered(event: DiscoveryEvent): void {
    this.#keptOut.discovered(event);
    if (event.kind === 'twin') this.#identity.heardTwin(event);
    else this.#supervisor?.discovered(event);
    // The links that may be dead now are those that do not answer.
    if (event.kind === 'interfaces-changed' || event.kind === 'restarted') this.#host.pingAll();
  }
}
