import { LIMITS, TIMES } from '../../core/config/index.ts';

/**
 * How often damage was repaired (R11). Repairs that follow each other closely are one incident: a bad block shows in several
 * documents. One disk error can happen; when they return again and again, going on writing only loses more.
 */
export class Incidents {
  /** Wall clock of the latest repair of each incident, ms, and how many there were. */
  #incidents: { at: number; repairs: number }[] = [];

  /** An incident from before the start. */
  remember(at: number): void {
    this.#incidents.push({ at, repairs: 1 });
  }

  /**
   * Counts a repair that is about to be made: part of the latest incident, a new one, or one too many. Those of more than a day ago
   * do not count, nor do those that a wrong clock has put more than a day ahead.
   */
  count(now: number): 'same' | 'new' | 'too-many' {
    this.#incidents = this.#incidents.filter(({ at }) => Math.abs(now - at) <= TIMES.repairDayMs);
    const latest = this.#incidents.at(-1);
    if (latest !== undefined && Math.abs(now - latest.at) < TIMES.repairIncidentMs) {
      if (latest.repairs >= LIMITS.repairsPerIncidentMax) return 'too-many';
      latest.at = now;
      latest.repairs++;
      return 'same';
    }
    if (this.#incidents.length >= LIMITS.repairIncidentsMax) return 'too-many';
    this.#incidents.push({ at: now, repairs: 1 });
    return 'new';
  }
}
