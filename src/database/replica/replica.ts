import { SliceSize } from '../../core/clock/index.ts';
import type { CollectionName, ReplicaId } from '../../core/ids/index.ts';
import type {
  ForkProof,
  PlacedDot,
  Reached,
  RemoteClaim,
  RemoteOutcome,
  RemoteVersion,
} from '../../core/replication/index.ts';
import { type Check, FIRST_CHECK, type Known } from '../../core/version/index.ts';
import { META } from '../../store/index.ts';
import { BoundedLog } from './bounded-log.ts';
import { DamagedCollections } from './damage/index.ts';
import type { Draft } from './draft.ts';
import { Evictions } from './evictions.ts';
import { Namesakes } from './lives/index.ts';
import { draftTransaction } from './local-write.ts';
import type { LocalOutcome, LocalTransaction } from './outcomes.ts';
import { draftPurges, type PurgePass } from './purge.ts';
import {
  type ApplyContext,
  draftClaim,
  draftGone,
  draftVersions,
  proveFork,
  proveUnknownWrite,
  unconfirmedVersions,
} from './remote-apply.ts';
import { type ReplicaOptions, ReplicaState } from './replica-state.ts';
import { StaleValues } from './stale-values.ts';

/** Number of versions in the first slice that R5 drops. */
const DROP_FIRST = 16;

/**
 * The engine on a store: the rules R1–R12 as synchronous steps, each of which is one commit. It knows no sockets, and time only
 * through its clock, so the simulator runs exactly this code.
 */
export class Replica extends ReplicaState {
  /** R12. */
  readonly evictions: Evictions;
  /** R11. */
  readonly damaged: DamagedCollections;
  /** R3. */
  readonly staleValues: StaleValues;
  readonly #quarantine: BoundedLog;
  readonly #namesakes: Namesakes;
  readonly #drops: SliceSize;
  /** Number of tombstones that the last purge had to skip; the next one reads beyond them. */
  #stuck = 0;

  constructor(options: ReplicaOptions) {
    const { store, limits, random } = options;
    const image = store.load();
    super(options, image);
    this.damaged = new DamagedCollections(this, random, image.meta);
    this.evictions = new Evictions(this, this.damaged, image.meta);
    this.staleValues = new StaleValues(this);
    this.#namesakes = new Namesakes(store);
    this.#quarantine = new BoundedLog(this, 'quarantine', limits.evidenceMax);
    this.#drops = new SliceSize({
      min: Math.min(DROP_FIRST, limits.messageVersionsMax),
      max: limits.messageVersionsMax,
    });
    this.leaveForeignLife();
  }

  /** R1. One commit for all transactions; a refused one does not affect the others. Throws if the store cannot commit. */
  write(transactions: readonly LocalTransaction[]): LocalOutcome[] {
    const draft = this.draft();
    const outcomes = transactions.map((t) => draftTransaction(draft, t, this.options.limits, this.options.resolverOf));
    this.commit(draft, 'local');
    return outcomes;
  }

  /**
   * R2, then R4–R6, in one commit: the knowledge of a claim is committed together with the last versions before it. `reached`
   * is how far the stream of versions has come, and becomes a resume point.
   */
  applyRemote(
    versions: readonly RemoteVersion[],
    claims: readonly RemoteClaim[],
    source?: object,
    reached?: Reached,
  ): RemoteOutcome {
    const draft = this.draft('once');
    const context = this.#context(draft);
    for (const version of versions) {
      const proof = proveUnknownWrite(context, version);
      if (proof !== undefined) return { kind: 'forked', proof };
    }
    for (const claim of claims) {
      const proof = proveFork(context, claim.knowledge.get(this.id));
      if (proof !== undefined) return { kind: 'forked', proof };
    }
    const { applied, forks: namesakes } = draftVersions(context, versions);
    const forks = [...namesakes];
    for (const claim of claims) {
      const open = unconfirmedVersions(context, claim, this.options.limits.messageVersionsMax);
      if (open.length > 0) return { kind: 'unconfirmed', collection: claim.collection, versions: open };
      if (this.collection(claim.collection).state === 'wanted') forks.push(...draftClaim(context, claim));
    }
    for (const claim of claims) this.confirm(claim.knowledge.get(this.id));
    const isWanted = reached !== undefined && this.collection(reached.collection).state === 'wanted';
    const resume = this.resume.after(draft, claims, isWanted ? reached : undefined);
    if (resume !== this.resume) draft.meta(META.resumePoints, resume.toText());
    this.commit(draft, 'remote', source);
    this.#quarantine.committed(draft);
    this.resume = resume;
    return { kind: 'applied', applied, forks };
  }

  /** R5: whether this number of gone versions needs more than one slice. */
  isMoreThanSlice(gone: number): boolean {
    return gone > this.#drops.items;
  }

  /**
   * R5, ADR 0015: drops a slice from the end of the gone versions, in a commit ahead of the claim. Returns the size of the
   * slice, and which of its versions have to wait for the claim.
   */
  dropGone(claim: RemoteClaim, gone: readonly PlacedDot[], source: object): { taken: number; waiting: PlacedDot[] } {
    const monotonic = (): number => this.options.clock.monotonic();
    return this.#drops.run(monotonic, (items) => {
      const draft = this.draft('once');
      const slice = gone.slice(-items);
      const waiting = draftGone(this.#context(draft), claim, slice);
      this.commit(draft, 'remote', source);
      return { taken: slice.length, waiting };
    });
  }

  /** R4: up to which seq of each replica the sender need not repeat what it sent before its stream was cut. */
  resumePoints(sender: ReplicaId, startId: string, collection: CollectionName): ReadonlyMap<ReplicaId, number> {
    return this.resume.of(sender, startId, collection);
  }

  /** R9 at meeting: undefined if what the peer knows of this replica is a point of its history, which then counts as confirmed. */
  meetKnowledge(known: Known | undefined): ForkProof | undefined {
    const proof = proveFork(this.#context(this.draft()), known);
    if (proof === undefined) this.confirm(known);
    return proof;
  }

  /** True if (seq, check) is a point of this replica's history, or too old to tell. The check of no write belongs to no seq. */
  isOwnHistory(seq: number, check: Check): boolean {
    return check !== FIRST_CHECK && proveFork(this.#context(this.draft()), { seq, check }) === undefined;
  }

  /** R7. Purges one bounded batch, oldest first, and forgets old entries of the conflict ledger and the recorder. */
  purge(retentionMs: number, limit: number): PurgePass {
    const draft = this.draft();
    const pass = draftPurges(draft, this.store, this.options.clock.now() - retentionMs, limit + this.#stuck);
    this.#stuck = pass.stuck;
    this.conflicts.forgetOld(draft, this.livedMs);
    this.options.recorder?.forgetOld(draft, this.livedMs);
    this.commit(draft, 'own');
    return pass;
  }

  /** R12: stops or starts wanting a collection. Its rows and knowledge stay. */
  setWanted(collection: CollectionName, isWanted: boolean): void {
    const draft = this.draft();
    draft.setState(collection, isWanted ? 'wanted' : 'frozen');
    this.commit(draft, 'own');
  }

  #context(draft: Draft): ApplyContext {
    return {
      draft,
      store: this.store,
      namesakes: this.#namesakes,
      own: this.head,
      collection: (name) => this.collection(name),
      setAside: (version, problem) => this.#setAside(draft, version, problem),
    };
  }

  #setAside(draft: Draft, { collection, key, replica, seq, value }: RemoteVersion, problem: string): void {
    const characters = value?.length ?? 0;
    this.#quarantine.append(draft, { collection, key, replica, seq, problem, characters });
    this.options.logger.warn({ collection, key, replica, seq }, `a document from a peer was set aside: it ${problem}`);
  }
}
