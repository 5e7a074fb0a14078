/** Preloaded with `node --import`: programs in this repository, such as the examples, get the package `entgldb` from its sources. */
import { registerHooks } from 'node:module';

const SOURCES: Readonly<Record<string, string>> = {
  entgldb: '../src/index.ts',
  'entgldb/testing': '../src/testing/index.ts',
};

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const source = SOURCES[specifier];
    return nextResolve(source === undefined ? specifier : new URL(source, import.meta.url).href, context);
  },
});
