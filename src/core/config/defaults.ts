/**
 * Every bound of the engine, in one place: name, default, and what happens when it is reached. docs/limits.md is made from
 * it. A configuration may change each under `Limits`.
 */
export const LIMITS = {
  /** JSON text of one document, bytes. Larger: DOCUMENT_TOO_LARGE; a remote one is set aside and reported. */
  documentBytesMax: 1024 * 1024,
  /** Levels of nesting in a document. Deeper: INVALID_DOCUMENT (SQLite's JSON stops at 1,000). */
  documentDepthMax: 100,
  /** Lines of causal context in what a write replaces: one for each replica that ever wrote the document. More: DOCUMENT_TOO_LARGE. */
  contextLinesMax: 16_384,
  /** Field stamps in one version (resolver `merge`). More: the version has none, and counts as the setter of all its fields. */
  fieldStampsMax: 10_000,
  /** Levels of $and, $or and $not in a filter, and steps of a path. Deeper: INVALID_FILTER. */
  filterDepthMax: 32,
  /** Comparisons in one filter, each value of a list such as that of $in counted. More: INVALID_FILTER. */
  filterTermsMax: 10_000,
  /** Conditions of a filter with more than 500 of them times documents that it looks at in one query. More: INVALID_FILTER. */
  filterStepsMax: 10_000_000,
  /** Documents that a query looks at on the event loop. More, or fewer with many conditions each: a thread answers it. */
  queryLoopDocumentsMax: 3000,
  /** Queries that threads answer, those that wait for their turn included. More are answered on the event loop. */
  asideQueriesMax: 1000,
  /** Bytes of the write-ahead log that queries in threads may keep from being taken into the database. More: they begin again. */
  asideLogBytesMax: 128 * 1024 * 1024,
  /** Fields in one sort. More: INVALID_FILTER. */
  sortFieldsMax: 16,
  /** Steps of a `$regex` as a program. More: INVALID_FILTER. */
  regexStepsMax: 1000,
  /** Fields of one index. More: INVALID_INDEX. */
  indexFieldsMax: 8,
  /** Indexes of one collection. One more: INVALID_INDEX. */
  indexesPerCollectionMax: 32,
  /** Entries of an index that are counted to choose between two, and to explain. More: the estimate is this. */
  estimatedRowsMax: 1000,
  /** Groups of one groupBy, and values of one distinct. More: RESULT_TOO_LARGE. */
  groupsMax: 100_000,
  /** Documents in one transaction. More: TRANSACTION_TOO_LARGE. */
  transactionDocumentsMax: 1000,
  /** Bytes of JSON in one transaction. More: TRANSACTION_TOO_LARGE. */
  transactionBytesMax: 4 * 1024 * 1024,
  /** Transactions that wait for their turn. More: WRITE_QUEUE_FULL. */
  transactionsWaitingMax: 1000,
  /** Times that a transaction is run because what it read changed under it. Then: CONCURRENCY_CONFLICT. */
  transactionAttemptsMax: 20,
  /** Documents whose reading a transaction remembers. More: it is run again whatever changes in their collections. */
  transactionReadsMax: 10_000,
  /** Times that `update` reads a document again because it changed meanwhile. Then: CONCURRENCY_CONFLICT. */
  updateAttemptsMax: 100,
  /** Stored documents whose check by a schema is remembered, in each collection. Others are checked again when they are read. */
  verdictsMax: 10_000,
  /** Characters of JSON of these documents. Beyond it, they are checked again. */
  verdictCharactersMax: 4 * 1024 * 1024,
  /** Writes waiting for their commit. More: WRITE_QUEUE_FULL. */
  writeQueueMax: 100_000,
  /** Writes in one commit. More wait for the next. */
  commitWritesMax: 1000,
  /** Bytes of JSON in one commit. More wait for the next. */
  commitBytesMax: 1024 * 1024,
  /** Documents kept in memory that changed last, for sessions and feeds. Older ones are read from the store. */
  recentChangesMax: 1000,
  /** Characters of JSON of these documents, and 50 for each line of their contexts. Beyond it, older ones are read from the store. */
  recentCharactersMax: 1024 * 1024,
  /** Checks kept of the own chain, one per commit. Older ones are forgotten: a fork behind them shows at the next commit. */
  chainLengthMax: 100_000,
  /** Damaged things that one check names. More: it stops and says so. */
  damageListMax: 10_000,
  /** Rows kept of the log of removed documents. A resume token older than the log gets `reset`. */
  goneLogMax: 100_000,
  /** Bytes of versions that may travel unacknowledged in one session. More wait. */
  sessionCreditBytes: 4 * 1024 * 1024,
  /** The same for chunks of blobs, for so much of them may be sent twice when a connection is cut. */
  blobCreditBytes: 512 * 1024,
  /** Messages of live versions that may travel unacknowledged in one session. What changes meanwhile goes together, each document once. */
  liveMessagesMax: 64,
  /** Bytes of versions in one message. A larger document travels alone. */
  messageBytesMax: 128 * 1024,
  /** Bytes of one frame on the wire. Larger: the connection is closed. */
  frameBytesMax: 16 * 1024 * 1024,
  /** Versions in one message. More go into the next. */
  messageVersionsMax: 1000,
  /** Versions of a live group that is applied as one. A longer backlog is catch-up: whole at the claim. */
  liveGroupVersionsMax: 2000,
  /** Bytes of a live transaction group that is applied as one. A larger group is catch-up: whole at the claim. */
  liveGroupBytesMax: 8 * 1024 * 1024,
  /** Dots remembered per session so as not to echo what a peer sent. Beyond it, an echo is sent and ignored there. */
  echoMemoryMax: 10_000,
  /** Collections of which one session fetches at the same time what it lacks. Of more, one after the other. */
  roundsMax: 64,
  /** Ranges in one answer of a reconciliation. */
  rangesPerMessageMax: 256,
  /**
   * Context lines, field stamps, entries of knowledge, ranges … in one message, all together. More: MESSAGE_TOO_LARGE. Fixed
   * by the wire format.
   */
  messageEntriesMax: 32_768,
  /** Protobuf fields in one message. A frame with more closes the connection. Fixed by the wire format. */
  messageFieldsMax: 250_000,
  /** Replica ids that one direction of a session numbers. A full dictionary starts again. Fixed by the wire format. */
  dictionaryReplicasMax: 32_768,
  /** Bytes from which a message is compressed, where both ends can. */
  compressBytesMin: 1024,
  /** Versions held of which nothing is known, after damage or a cut, from which on a round first compares what both hold. Fewer are sent again. */
  gapVersionsMin: 1000,
  /** Versions in a range that is listed rather than narrowed further. */
  rangeListMax: 64,
  /** Bytes that wait in one channel for a slow peer. With more waiting, the next frame closes it with reason `slow`. */
  channelBufferBytesMax: 8 * 1024 * 1024,
  /** Bytes that wait in one channel before `send` says false. */
  channelHighWaterBytes: 512 * 1024,
  /** Bytes per second below which a frame under way, in or out, closes the channel with reason `slow`. */
  channelBytesPerSecondMin: 2048,
  /** Connections that have not yet proven anything. One more: the oldest is closed. */
  handshakesPendingMax: 64,
  /** Of these, from one address other than loopback. One more is refused. */
  handshakesPerAddressMax: 16,
  /** Connections accepted per second from one address. More are refused before TLS. */
  acceptsPerSecondMax: 20,
  /** The same for loopback addresses, where a whole cluster may live on one machine. */
  acceptsPerSecondLoopbackMax: 500,
  /** Addresses counted in one second. Connections from more are counted together. */
  acceptAddressesMax: 4096,
  /** Addresses that are remembered of whom connections were refused, for the log and for `status`. The oldest is forgotten. */
  refusalAddressesMax: 256,
  /** Lines per minute in the log of refused connections. More are counted and not written. */
  refusalLinesPerMinuteMax: 20,
  /** Nodes that all talk to all; beyond, each keeps about log2(n) + 2 links, or 3 to relaying nodes if it keeps only some collections. */
  fullMeshNodesMax: 8,
  /** Peers known at the same time. More: the longest unseen one is forgotten. */
  peersMax: 1024,
  /** Addresses remembered of one peer. More: the longest unheard one is forgotten. */
  addressesPerPeerMax: 8,
  /** Network interfaces that beacons are sent through. More are shown as skipped. */
  interfacesMax: 32,
  /** Signatures of beacons checked in a second, of strangers and of known peers each. More datagrams are dropped. */
  beaconChecksPerSecondMax: 5000,
  /** The same for one sending address. */
  beaconChecksPerSourceMax: 500,
  /** Links to peers at the same time. More: an incoming one is closed with reason `busy`, unless its peer is wanted. */
  linksMax: 256,
  /** Peers dialled at the same time: less while they do not get round to answering, down to 4, and up to eight times as many that are silent. More wait for their turn. */
  dialsMax: 16,
  /** Entries of evidence, quarantine and errors kept each. More: the oldest is forgotten. */
  evidenceMax: 1000,
  /** Collections of which a node tells its peers how its program defines them, and hears it of each peer. Of more, nothing is said. */
  definitionsMax: 1000,
  /** Mismatches of definitions that are listed of one peer. More are left out. */
  definitionMismatchesMax: 100,
  /** Versions kept in the conflict ledger. One more: the oldest is forgotten. */
  conflictsMax: 10_000,
  /** Characters of JSON in the conflict ledger, winners and losers together. Beyond it, the oldest are forgotten. */
  conflictCharactersMax: 64 * 1024 * 1024,
  /** Receipts kept, one for each peer and collection. One more: that of the peer unheard for longest is forgotten. */
  receiptsMax: 10_000,
  /** Calls of `replicated` that wait at the same time. One more: WRITE_QUEUE_FULL. */
  receiptWaitersMax: 10_000,
  /** Events kept of what happened to the database: damage, repairs, restored backups. The oldest is forgotten. */
  eventsMax: 10_000,
  /** Incidents of damage in a day that are repaired (R11). One more stops writing. */
  repairIncidentsMax: 3,
  /** Repairs within one incident. One more stops writing. */
  repairsPerIncidentMax: 50,
  /** Documents that may fail in one flush of the offline queue. One more: the flush ends, and the next one begins anew. */
  queueBlockedDocumentsMax: 100_000,
  /** Replaced values kept by collections with a history, of all documents together. One more: the oldest is forgotten. */
  historyEntriesMax: 100_000,
  /** Characters of JSON in them. Beyond it, the oldest are forgotten. */
  historyCharactersMax: 256 * 1024 * 1024,
  /** Characters of a blob's chunks that wait for the disk while it is put. With more, its source waits. */
  blobPutBytes: 4 * 1024 * 1024,
  /** References to blobs that a collection of unreferenced ones holds in memory. More: it ends and collects nothing. */
  blobReferencesMax: 1_000_000,
  /** Loops over `watch` that have begun and not ended, in one database. One more: WATCHERS_FULL. */
  watchersMax: 10_000,
  /** Changes that one receiver (`watch`) holds in memory; further ones are read from its position in the database. */
  watchBufferMax: 100,
  /** Characters of JSON in them. Beyond it, further ones are read later; a larger one is held alone. */
  watchBufferCharactersMax: 128 * 1024,
  /** Live queries, counts and documents that somebody looks at, in one database. One more: LIVE_QUERIES_FULL. */
  liveQueriesMax: 1000,
  /** Documents that one live query keeps in memory, those skipped included. More: LIVE_RESULT_TOO_LARGE. */
  liveResultsMax: 10_000,
  /** Characters of JSON in them. More: LIVE_RESULT_TOO_LARGE. */
  liveResultCharactersMax: 64 * 1024 * 1024,
  /** Keys that one live count with a filter keeps. More: LIVE_RESULT_TOO_LARGE. */
  liveCountKeysMax: 100_000,
  /** Changes of one collection that wait for the disk, or for a first result, before live queries hear of them. More: they read their results again. */
  liveBacklogMax: 10_000,
  /** Characters of JSON in them. More: the same. */
  liveBacklogCharactersMax: 16 * 1024 * 1024,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

/** Of these, a setting changes nothing. */
export const FIXED_LIMITS: ReadonlySet<string> = new Set<keyof Limits>([
  'filterDepthMax',
  'filterTermsMax',
  'sortFieldsMax',
  'regexStepsMax',
  'indexFieldsMax',
  'indexesPerCollectionMax',
  'estimatedRowsMax',
  'damageListMax',
  'messageEntriesMax',
  'messageFieldsMax',
  'dictionaryReplicasMax',
  'repairIncidentsMax',
  'repairsPerIncidentMax',
  'queueBlockedDocumentsMax',
]);

/** Characters of a cluster token below which it falls to guessing: a passive listener can test guesses offline. */
export const TOKEN_CHARS_MIN = 16;

/** When things happen, in ms unless the name says otherwise. */
export const TIMES = {
  claimDelayMs: 100,
  claimVersionsMax: 1000,
  syncIntervalMs: 5000,
  /** TCP connect and TLS handshake together, counted from the first byte; then the proof of the device key. */
  handshakeMsMax: 5000,
  deviceProofMsMax: 5000,
  /** A frame under way must bring its minimum of bytes in each such window. */
  channelWindowMs: 30_000,
  /** Time that a closed channel has for its last frames. */
  channelCloseMsMax: 1000,
  /** Idle time after which TCP asks whether the peer's machine is still there. */
  tcpKeepAliveMs: 15_000,
  /** One address is named in the log of refused connections once in this time. */
  refusalLogIntervalMs: 600_000,
  /** Who was refused and is not met any more is shown for this time. */
  refusalForgetMs: 300_000,
  pingIntervalMs: 5000,
  peerSilenceMsMax: 15_000,
  beaconIntervalMs: 5000,
  beaconExpiryMs: 15_000,
  interfacePollMs: 5000,
  /** Longest pause before a peer is dialled again: a network that works again is noticed within 5 s. */
  dialBackoffMsMax: 2500,
  /** The same where somebody answers who turns this node away and never greeted it, or where discovery hears the peer no more. */
  hopelessBackoffMsMax: 30_000,
  clockDriftMsMax: 60_000,
  /** Time that a transaction has from its turn on, repetitions included. */
  transactionMs: 5000,
  tombstoneRetentionMs: 168 * 3600 * 1000,
  purgeIntervalMs: 60_000,
  /** Entries of the conflict ledger are kept so long, by the time in which the database was in use. */
  conflictRetentionMs: 90 * 24 * 3600 * 1000,
  /** Of each time for which the database was closed, at most so much counts as time in use: the wall clock may have jumped. */
  livedGapMsMax: 7 * 24 * 3600 * 1000,
  /** The time in use is saved with one commit in so long. */
  livedSaveMs: 3600 * 1000,
  /** What peers confirm is written down at the latest after this time; what was not is confirmed again. */
  receiptWriteMs: 1000,
  /** Time between two scheduled comparisons with the connected peers (`verify`). */
  verifyIntervalMs: 3600 * 1000,
  /** A comparison that finds a difference is repeated after this time, twice: a round of sync ends it, or it is real. */
  verifyRepeatMs: 6000,
  /** Time that a peer has to answer a comparison; it may read its whole collection first. */
  verifyAnswerMsMax: 60_000,
  /** Own rows are summed up anew for a peer at most once in this time. */
  verifyRecountMs: 60_000,
  /** A resolver that takes longer is reported; its answer counts. */
  resolverMsMax: 10,
  /** Periodic health checks: everything, and what is quick to look at; and the time that one check has. */
  healthIntervalMs: 300_000,
  healthQuickIntervalMs: 1000,
  healthCheckMsMax: 1500,
  /** Time between two looks whether the database's file is in its place. */
  fileWatchMs: 1000,
  /** In this time an owner takes its lock anew whose file was removed. */
  lockKeptMs: 3000,
  /** Rest of the integrity scrub between two passes, and time between two checks of the file's own structures. */
  scrubPauseMs: 600_000,
  fileCheckIntervalMs: 24 * 3600 * 1000,
  /** The first of these checks begins so long after the start: its thread takes memory and time that a start has better use for. */
  fileCheckDelayMs: 10_000,
  /** A repair waits so long for peers that are known and not connected, before it turns to a backup. */
  repairPeerWaitMs: 60_000,
  /** Connected peers have so long to bring a damaged document. */
  repairRoundMs: 10_000,
  /** Repairs within this time of each other are one incident; incidents are counted over this day. */
  repairIncidentMs: 600_000,
  repairDayMs: 24 * 3600 * 1000,
  /** A node collects blobs by itself so long after its start, up to twice that, and then at this interval. */
  blobCollectDelayMs: 600_000,
  blobCollectIntervalMs: 24 * 3600 * 1000,
  /** Blobs are collected when no document has referred to them for so long, and no earlier. */
  blobGraceMs: 7 * 24 * 3600 * 1000,
  /** A chunk that is put again is written again when it is older than this, so that nobody may be about to collect it. */
  blobRenewMs: 7 * 12 * 3600 * 1000,
  /** Pause after the first failed automatic backup; it doubles up to the interval. */
  backupRetryMs: 60_000,
  /** Time that a handler has for one operation of the offline queue. */
  queueOperationMsMax: 30_000,
  /** Longest pause before the offline queue flushes again by itself after a failure; it doubles up to the second. */
  queueRetryMs: 1000,
  queueRetryMsMax: 300_000,
} as const;
