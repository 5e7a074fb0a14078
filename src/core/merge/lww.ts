import type { Resolver } from './resolver.ts';

/** Last writer wins: the newest (stamp, replica, seq) of the concurrent versions, whole. */
export const lww: Resolver = {
  name: 'lww',
  revision: 1,
  resolve: (siblings) => siblings.at(-1)!.value!,
};
