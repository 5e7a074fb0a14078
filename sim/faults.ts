import type { SeededRandom } from '../src/testing/index.ts';

/** How often what happens in one schedule, relative to each other; drawn anew per seed, so that seeds differ in kind (swarm). */
export interface FaultMix {
  readonly write: number;
  readonly transaction: number;
  readonly purge: number;
  readonly partition: number;
  readonly oneWay: number;
  readonly heal: number;
  readonly cut: number;
  readonly crash: number;
  readonly restart: number;
  readonly backup: number;
  readonly restore: number;
  readonly wipe: number;
  readonly damage: number;
  readonly join: number;
  readonly clockJump: number;
  readonly diskFull: number;
  readonly pause: number;
  readonly clone: number;
}

export type FaultName = keyof FaultMix;

export interface Campaign {
  /** Copies of a running node with its marker: what R9 cannot wholly mend, counted apart. */
  readonly twins: boolean;
  /** Disks that lie, are lost or replaced. */
  readonly disks: boolean;
}

export function drawFaults(random: SeededRandom, campaign: Campaign): FaultMix {
  const some = (max: number): number => (random.chance(0.5) ? random.integer(0, max) : 0);
  return {
    write: 60 + random.integer(0, 60),
    transaction: some(20),
    purge: some(15),
    partition: some(8),
    oneWay: some(5),
    heal: 4 + random.integer(0, 10),
    cut: some(6),
    crash: some(6),
    restart: 6 + random.integer(0, 8),
    backup: campaign.disks ? some(4) : 0,
    restore: campaign.disks ? some(4) : 0,
    wipe: campaign.disks ? some(2) : 0,
    damage: campaign.disks ? some(3) : 0,
    join: some(2),
    clockJump: some(5),
    diskFull: some(4),
    pause: 20 + random.integer(0, 60),
    clone: campaign.twins ? 1 + random.integer(0, 3) : 0,
  };
}

export function drawFault(random: SeededRandom, mix: FaultMix): FaultName {
  const names = Object.keys(mix) as FaultName[];
  let roll = random.next() * names.reduce((sum, name) => sum + mix[name], 0);
  for (const name of names) {
    roll -= mix[name];
    if (roll < 0) return name;
  }
  return 'write';
}
