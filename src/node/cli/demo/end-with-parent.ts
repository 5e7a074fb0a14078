/**
 * Loaded into each process of the demo before anything else: when the demo is gone, for whatever reason, its nodes go too.
 * The channel between the two closes even when the demo is killed, which is the one case that it cannot clean up after.
 */
process.on('disconnect', () => process.exit(0));
process.channel?.unref();
