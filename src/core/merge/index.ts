export { counterValue, incrementCounter } from './counter.ts';
export { lww } from './lww.ts';
export { merge } from './merge.ts';
export { resolveDocument } from './resolve-document.ts';
export type { Resolver } from './resolver.ts';
export { createResolverRegistry, type ResolverChoice } from './resolver-registry.ts';
