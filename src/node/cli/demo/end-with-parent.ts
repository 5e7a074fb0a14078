/**
 * Loaded into each process of the demo before anything else: when the demo ends, for whatever reason, its nodes end too.
 * The channel between them closes even when the demo is killed, the one case in which it cannot clean up itself.
 */
process.on('disconnect', () => process.exit(0));
process.channel?.unref();
