import { LIMITS, TIMES } from '../../core/config/index.ts';

/**
 * Counts how often damage was repaired (R11). Repairs in close succession are one incident, because one bad block damages several
 * documents. A single disk error can happen; if errors keep returning, further writing only loses more.
 */
export class Incidents {
  /** For each incident the wall clock of its latest repair, ms, and the number of its repairs. */
  #incidents: { at: number; repairs: number }[] = [];

  /** Adds an incident from before the start. */
  remember(at: number): void {
    this.#incidents.push({ at, repairs: 1 });
  }

  /**
   * Counts a repair that is about to be made: it belongs to the latest incident, is a new one, or is one too many. Incidents more
   * than a day ago do not count, nor do those that a wrong clock put more than a day ahead.
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
