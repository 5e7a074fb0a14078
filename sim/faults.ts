import type { SeededRandom } from '../src/testing/index.ts';

/** The relative weight of each event in one schedule. Drawn anew per seed, so that seeds differ in kind (swarm testing). */
export interface FaultMix {
  readonly write: number;
  readonly transaction: number;
  readonly purge: number;
  readonly partition: number;
  readonly bridge: number;
  readonly oneWay: number;
  readonly heal: number;
  readonly cut: number;
  readonly double: number;
  readonly late: number;
  readonly crash: number;
  readonly restart: number;
  readonly backup: number;
  readonly restore: number;
  readonly wipe: number;
  readonly damage: number;
  readonly join: number;
  readonly leave: number;
  readonly clockJump: number;
  readonly diskFull: number;
  readonly ioError: number;
  readonly narrow: number;
  readonly widen: number;
  readonly evict: number;
  readonly pause: number;
  readonly clone: number;
  readonly rot: number;
  readonly borrow: number;
  readonly fill: number;
  readonly room: number;
  readonly upgrade: number;
  readonly queue: number;
  readonly line: number;
  readonly undo: number;
  readonly compare: number;
}

export type FaultName = keyof FaultMix;

/**
 * - `chaos`: everything except twins.
 * - `twins`: running nodes are copied together with their marker (R9). Disks lose nothing that they had made durable.
 * - `wear`: chaos, plus what years bring: rows that rot and are found late, so that they get into backups too; backups of
 *   other nodes; disks that stay full; programs with another resolver; blobs among the collections.
 * - `programs`: wear, plus programs that use what a node offers besides documents: they queue operations for a server, keep and
 *   undo history, restore what lost a conflict, and compare nodes.
 * - `calm`: nothing fails and the network only delays, so that the promises about live streams hold in full (I6, causal
 *   order).
 */
export type Campaign = 'chaos' | 'twins' | 'wear' | 'programs' | 'calm';

const NO_FAULTS: FaultMix = {
  write: 0,
  transaction: 0,
  purge: 0,
  partition: 0,
  bridge: 0,
  oneWay: 0,
  heal: 0,
  cut: 0,
  double: 0,
  late: 0,
  crash: 0,
  restart: 0,
  backup: 0,
  restore: 0,
  wipe: 0,
  damage: 0,
  join: 0,
  leave: 0,
  clockJump: 0,
  diskFull: 0,
  ioError: 0,
  narrow: 0,
  widen: 0,
  evict: 0,
  pause: 0,
  clone: 0,
  rot: 0,
  borrow: 0,
  fill: 0,
  room: 0,
  upgrade: 0,
  queue: 0,
  line: 0,
  undo: 0,
  compare: 0,
};

export function drawFaults(random: SeededRandom, campaign: Campaign): FaultMix {
  const some = (max: number): number => (random.chance(0.5) ? random.integer(0, max) : 0);
  const work = {
    write: 60 + random.integer(0, 60),
    transaction: some(20),
    purge: some(40),
    pause: 20 + random.integer(0, 60),
  };
  if (campaign === 'calm') return { ...NO_FAULTS, ...work, transaction: 30 };
  const weather = {
    partition: some(8),
    bridge: some(4),
    oneWay: some(5),
    heal: 4 + random.integer(0, 10),
    cut: some(6),
    double: some(4),
    crash: some(6),
    restart: 6 + random.integer(0, 8),
    join: some(2),
    clockJump: some(5),
    diskFull: some(4),
    ioError: some(4),
  };
  if (campaign === 'twins') return { ...NO_FAULTS, ...work, ...weather, clone: 1 + random.integer(0, 3) };
  const disks = { backup: some(4), restore: some(4), wipe: some(2), damage: some(3), leave: some(1), late: some(10) };
  const isChoosy = random.chance(0.3);
  const wants = { narrow: isChoosy ? some(4) : 0, widen: isChoosy ? 4 : 0, evict: isChoosy ? some(4) : 0 };
  const chaos = { ...NO_FAULTS, ...work, ...weather, ...disks, ...wants };
  if (campaign === 'chaos') return chaos;
  const wear = { rot: some(4), backup: some(4), borrow: some(2), fill: some(2), room: 4, upgrade: some(3) };
  if (campaign === 'wear') return { ...chaos, ...wear };
  const programs = { queue: 10 + random.integer(0, 20), line: some(6), undo: some(10), compare: some(6) };
  const sound = random.chance(0.5) ? { damage: 0, rot: 0, evict: 0 } : {};
  return { ...chaos, ...wear, ...programs, ...sound };
}

/** Returns a function that draws one event per call, by weight. */
export function faultSource(random: SeededRandom, mix: FaultMix): () => FaultName {
  const odds = (Object.entries(mix) as [FaultName, number][]).filter(([, weight]) => weight > 0);
  const sum = odds.reduce((total, [, weight]) => total + weight, 0);
  return () => {
    let roll = random.next() * sum;
    for (const [name, weight] of odds) {
      roll -= weight;
      if (roll < 0) return name;
    }
    return 'write';
  };
}
