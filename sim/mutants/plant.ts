// Preloaded (`node --import`) into a process that looks for one mutant. Plants it when its file is loaded.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const wanted = process.env.ENTGLDB_MUTANT;
const mutant = MUTANTS.find(({ name }) => name === wanted);
if (mutant === undefined) throw new Error(`there is no mutant ${JSON.stringify(wanted)}`);
const target = pathToFileURL(join(import.meta.dirname, '../..', mutant.file)).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: plant(mutant, source) };
  },
});
