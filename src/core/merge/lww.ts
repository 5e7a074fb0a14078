import type { Resolver } from './resolver.ts';

/** Last writer wins: the concurrent version with the highest (stamp, replica, seq), as a whole. */
export const lww: Resolver = {
  name: 'lww',
  revision: 1,
  resolve: (siblings) => siblings.at(-1)!.value!,
};
