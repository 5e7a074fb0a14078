/**
 * Every bound of the engine in one place: name, default, and what happens when it is reached. docs/limits.md is generated
 * from this file. The configuration section `Limits` can change each of them, except those in `FIXED_LIMITS`.
 */
export const LIMITS = {
  /** JSON text of one document, bytes. Larger: DOCUMENT_TOO_LARGE. What other nodes wrote is kept whatever its size. */
  documentBytesMax: 1024 * 1024,
  /** Levels of nesting in a document. Deeper: INVALID_DOCUMENT (SQLite's JSON stops at 1,000). */
  documentDepthMax: 100,
  /** Lines of causal context in the versions that a write replaces: one, rarely a few, for each replica that ever wrote the document. More: DOCUMENT_TOO_LARGE. */
  contextLinesMax: 16_384,
  /** Field stamps in one version (resolver `merge`). More: the version has none and counts as the setter of all its fields. */
  fieldStampsMax: 10_000,
  /** Levels of $and, $or and $not in a filter, and steps in a path. Deeper: INVALID_FILTER. */
  filterDepthMax: 32,
  /** Comparisons in one filter, counting each value of a list such as that of $in. More: INVALID_FILTER. */
  filterTermsMax: 10_000,
  /** For a filter with more than 500 conditions: conditions times documents that one query looks at. More: INVALID_FILTER. */
  filterStepsMax: 10_000_000,
  /** Documents that a query looks at on the event loop. More, or fewer with many conditions each: a thread answers the query. */
  queryLoopDocumentsMax: 3000,
  /** Queries answered by threads, those waiting for their turn included. More are answered on the event loop. */
  asideQueriesMax: 1000,
  /** Bytes of the write-ahead log that queries in threads may keep from being moved into the database. More: they start again. */
  asideLogBytesMax: 128 * 1024 * 1024,
  /** Fields in one sort. More: INVALID_FILTER. */
  sortFieldsMax: 16,
  /** Steps of a compiled `$regex`. More: INVALID_FILTER. */
  regexStepsMax: 1000,
  /** Fields of one index. More: INVALID_INDEX. */
  indexFieldsMax: 8,
  /** Indexes of one collection. One more: INVALID_INDEX. */
  indexesPerCollectionMax: 32,
  /**
   * Different items or words of one document in one index. More: DOCUMENT_TOO_LARGE. A remote document, and one from before the index, is
   * entered in any case, and holds up the event loop: 150,000 items for some seconds.
   */
  indexEntriesMax: 10_000,
  /** Index entries that are counted to choose between two indexes and for `explain`. More: this number is the estimate. */
  estimatedRowsMax: 1000,
  /** Groups of one `groupBy`, and values of one `distinct`. More: RESULT_TOO_LARGE. */
  groupsMax: 100_000,
  /** Documents in one transaction. More: TRANSACTION_TOO_LARGE. */
  transactionDocumentsMax: 1000,
  /** Bytes of JSON in one transaction. More: TRANSACTION_TOO_LARGE. */
  transactionBytesMax: 4 * 1024 * 1024,
  /** Transactions waiting for their turn. More: WRITE_QUEUE_FULL. */
  transactionsWaitingMax: 1000,
  /** Times that a transaction is run when documents that it read keep changing. Then: CONCURRENCY_CONFLICT. */
  transactionAttemptsMax: 20,
  /** Reads of documents that a transaction remembers. More: any change in the collections that it read makes it run again. */
  transactionReadsMax: 10_000,
  /** Attempts of `update` when the document keeps changing meanwhile. Then: CONCURRENCY_CONFLICT. */
  updateAttemptsMax: 100,
  /** Stored documents per collection whose validation by the schema is remembered. Others are validated again when read. */
  verdictsMax: 10_000,
  /** Characters of JSON of the documents in `verdictsMax`. Beyond it, they are validated again. */
  verdictCharactersMax: 4 * 1024 * 1024,
  /** Writes waiting for their commit. More: WRITE_QUEUE_FULL. */
  writeQueueMax: 100_000,
  /** Writes in one commit. More wait for the next. */
  commitWritesMax: 1000,
  /** Bytes of JSON in one commit. More wait for the next. */
  commitBytesMax: 1024 * 1024,
  /** Most recently changed documents kept in memory for sessions and feeds. Older ones are read from the store. */
  recentChangesMax: 1000,
  /** Characters of JSON of the documents in `recentChangesMax`, plus 50 for each line of their contexts. Beyond it, older ones are read from the store. */
  recentCharactersMax: 1024 * 1024,
  /** Checks kept of this replica's own chain, one per commit. Older ones are forgotten: a fork before them shows at the next commit. */
  chainLengthMax: 100_000,
  /** Ends of former lives that a node keeps and tells its peers, so that a twin is told: of lives with a known twin, and of others, each. More: the oldest is forgotten. */
  lifeEndsMax: 20,
  /** Damaged things that one integrity check lists. More: it stops and says so. */
  damageListMax: 10_000,
  /** Rows kept in the log of removed documents. A resume token older than the log gets `reset`. */
  goneLogMax: 100_000,
  /** Bytes of versions that may travel unacknowledged in one session, and less while they are confirmed late. More wait. */
  sessionCreditBytes: 4 * 1024 * 1024,
  /** The same for chunks of blobs. It is less because that much may be sent twice when a connection is cut. */
  blobCreditBytes: 512 * 1024,
  /** Messages of live versions that may travel unacknowledged in one session. Later changes wait and are sent together, each document once. */
  liveMessagesMax: 64,
  /** Bytes of versions in one message: at most a third of `frameBytesMax`. A larger document travels alone. */
  messageBytesMax: 128 * 1024,
  /** Bytes of one frame on the wire. Larger: the connection is closed. */
  frameBytesMax: 16 * 1024 * 1024,
  /** Versions in one message. More go into the next. */
  messageVersionsMax: 1000,
  /** Versions of a live group that becomes visible as a whole. A longer backlog is catch-up, complete only at the claim. */
  liveGroupVersionsMax: 2000,
  /** Bytes of a live group that becomes visible as a whole. A larger group is catch-up, complete only at the claim. */
  liveGroupBytesMax: 8 * 1024 * 1024,
  /** Dots remembered per session so that nothing is sent back to the peer it came from. Beyond it, such an echo is sent and ignored there. */
  echoMemoryMax: 10_000,
  /** Collections in which one session fetches missing versions at the same time. Further ones wait for their turn. */
  roundsMax: 64,
  /** Ranges in one answer when live sets are compared. */
  rangesPerMessageMax: 256,
  /**
   * Context lines, field stamps, entries of knowledge, ranges and so on in one message, all together. More:
   * MESSAGE_TOO_LARGE. Fixed by the wire format.
   */
  messageEntriesMax: 32_768,
  /** Protobuf fields in one message. A frame with more closes the connection. Fixed by the wire format. */
  messageFieldsMax: 250_000,
  /** Replica ids in the dictionary of one direction of a session. A full dictionary starts again. Fixed by the wire format. */
  dictionaryReplicasMax: 32_768,
  /** Bytes from which a message is compressed, if both ends support it. */
  compressBytesMin: 1024,
  /** Versions held but not covered by knowledge, after damage or a cut connection, from which a round first compares what both hold. Fewer are sent again. */
  gapVersionsMin: 1000,
  /** Versions in a range that is listed rather than narrowed further. */
  rangeListMax: 64,
  /** Bytes waiting in one channel for a slow peer. If more are waiting, the next frame closes it with reason `slow`. At least `channelHighWaterBytes` and a message. */
  channelBufferBytesMax: 8 * 1024 * 1024,
  /** Bytes waiting in one channel before `send` returns false. */
  channelHighWaterBytes: 512 * 1024,
  /** Bytes per second below which a frame under way, in or out, closes the channel with reason `slow`. */
  channelBytesPerSecondMin: 2048,
  /** Connections that have not yet authenticated. One more: the oldest is closed. */
  handshakesPendingMax: 64,
  /** Such connections from one address other than loopback. One more is refused. */
  handshakesPerAddressMax: 16,
  /** Connections accepted per second from one address. More are refused before TLS. */
  acceptsPerSecondMax: 20,
  /** The same for loopback addresses, since a whole cluster may run on one machine. */
  acceptsPerSecondLoopbackMax: 500,
  /** Addresses counted in one second. Connections from more are counted together. */
  acceptAddressesMax: 4096,
  /** Addresses remembered whose connections were refused, for the log and for `status`. One more: the oldest is forgotten. */
  refusalAddressesMax: 256,
  /** Log lines per minute about refused connections. More are counted and not written. */
  refusalLinesPerMinuteMax: 20,
  /** Nodes in a network where each is linked with all others. In a larger one, each keeps about log2(n) + 2 links, or 3 to relaying nodes if it keeps only some collections. */
  fullMeshNodesMax: 8,
  /** Peers known at the same time. More: the one unseen for longest is forgotten. */
  peersMax: 1024,
  /** Addresses remembered for one peer. More: the one unheard for longest is forgotten. */
  addressesPerPeerMax: 8,
  /** Network interfaces that beacons are sent through. More are shown as skipped. */
  interfacesMax: 32,
  /** Beacon signatures checked per second, separately for strangers and for known peers. Further datagrams are dropped. */
  beaconChecksPerSecondMax: 5000,
  /** The same for one sending address. */
  beaconChecksPerSourceMax: 500,
  /** Links to peers at the same time. With more, an incoming one is closed with reason `busy` unless its peer is wanted. */
  linksMax: 256,
  /** Peers dialled at the same time: fewer, down to 4, while they are slow to answer, and up to eight times as many that stay silent. More wait for their turn. */
  dialsMax: 16,
  /** Entries kept of evidence, of quarantine and of errors, each. More: the oldest is forgotten. */
  evidenceMax: 1000,
  /** Collections whose definitions a node sends to its peers and accepts from each of them. Definitions of further ones are not exchanged. */
  definitionsMax: 1000,
  /** Mismatches of definitions listed for one peer. More are left out. */
  definitionMismatchesMax: 100,
  /** Versions kept in the conflict ledger. One more: the oldest is forgotten. */
  conflictsMax: 10_000,
  /** Characters of JSON in the conflict ledger, winners and losers together. Beyond it, the oldest are forgotten. */
  conflictCharactersMax: 64 * 1024 * 1024,
  /** Receipts kept, one for each peer and collection. One more: the one of the peer unheard for longest is forgotten. */
  receiptsMax: 10_000,
  /** Calls of `replicated` that wait at the same time. One more: WRITE_QUEUE_FULL. */
  receiptWaitersMax: 10_000,
  /** Events kept about the database: damage, repairs, restored backups. One more: the oldest is forgotten. */
  eventsMax: 10_000,
  /** Incidents of damage repaired within a day (R11). One more stops writing. */
  repairIncidentsMax: 3,
  /** Repairs within one incident. One more stops writing. */
  repairsPerIncidentMax: 50,
  /** Documents whose operations may fail in one flush of the offline queue. One more: the flush ends, and the next one starts from the beginning. */
  queueBlockedDocumentsMax: 100_000,
  /** Replaced values kept by collections with a history, for all documents together. One more: the oldest is forgotten. */
  historyEntriesMax: 100_000,
  /** Characters of JSON in the values of `historyEntriesMax`. Beyond it, the oldest are forgotten. */
  historyCharactersMax: 256 * 1024 * 1024,
  /** Characters of a blob's chunks waiting for the disk while it is put. With more, its source waits. */
  blobPutBytes: 4 * 1024 * 1024,
  /** References to blobs held in memory while unreferenced blobs are collected. More: the collection ends without collecting anything. */
  blobReferencesMax: 1_000_000,
  /** Running loops over `watch` in one database. One more: WATCHERS_FULL. */
  watchersMax: 10_000,
  /** Changes that one `watch` holds in memory. Further ones are read from the database, from its position on. */
  watchBufferMax: 100,
  /** Characters of JSON in the changes of `watchBufferMax`. Beyond it, further ones are read later; a larger one is held alone. */
  watchBufferCharactersMax: 128 * 1024,
  /** Live queries, counts and documents in use in one database. One more: LIVE_QUERIES_FULL. */
  liveQueriesMax: 1000,
  /** Documents that one live query keeps in memory, those skipped included. More: LIVE_RESULT_TOO_LARGE. */
  liveResultsMax: 10_000,
  /** Characters of JSON in the documents of `liveResultsMax`. More: LIVE_RESULT_TOO_LARGE. */
  liveResultCharactersMax: 64 * 1024 * 1024,
  /** Keys that one live count with a filter keeps in memory. More: LIVE_RESULT_TOO_LARGE. */
  liveCountKeysMax: 100_000,
  /** Changes of one collection that wait for the disk, or for a first result, before live queries are told. More: the queries read their results again. */
  liveBacklogMax: 10_000,
  /** Characters of JSON in the changes of `liveBacklogMax`. More: the queries read their results again. */
  liveBacklogCharactersMax: 16 * 1024 * 1024,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

/** Limits that no setting changes. */
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

/** A shorter cluster token can be guessed: a passive listener can test guesses offline. */
export const TOKEN_CHARS_MIN = 16;

/** Intervals, delays and time limits, in ms unless the name says otherwise. */
export const TIMES = {
  claimDelayMs: 100,
  claimVersionsMax: 1000,
  syncIntervalMs: 5000,
  /** TCP connect and TLS handshake together, counted from the first byte; then the proof of the device key. */
  handshakeMsMax: 5000,
  deviceProofMsMax: 5000,
  /** Window in which a frame under way must make its minimum of bytes (`channelBytesPerSecondMin`). */
  channelWindowMs: 30_000,
  /** Time that a closed channel has to send its last frames. */
  channelCloseMsMax: 1000,
  /** Idle time after which TCP asks whether the peer's machine is still there. */
  tcpKeepAliveMs: 15_000,
  /** The log of refused connections names one address at most once in this time. */
  refusalLogIntervalMs: 600_000,
  /** A refused node that does not try again is shown for this time. */
  refusalForgetMs: 300_000,
  pingIntervalMs: 5000,
  peerSilenceMsMax: 15_000,
  beaconIntervalMs: 5000,
  beaconExpiryMs: 15_000,
  interfacePollMs: 2000,
  /** Longest pause before a peer is dialled again, so that a recovered network is noticed within 5 s. */
  dialBackoffMsMax: 2500,
  /** The same if the other end turns this node away without ever having greeted it, or if discovery no longer hears the peer. */
  hopelessBackoffMsMax: 30_000,
  clockDriftMsMax: 60_000,
  /** Time that a transaction has once its turn comes, repetitions included. */
  transactionMs: 5000,
  tombstoneRetentionMs: 168 * 3600 * 1000,
  purgeIntervalMs: 60_000,
  /** How long entries of the conflict ledger are kept, measured in time in which the database was open. */
  conflictRetentionMs: 90 * 24 * 3600 * 1000,
  /** Most that a period in which the database was closed counts as time in use: the wall clock may have jumped. */
  livedGapMsMax: 7 * 24 * 3600 * 1000,
  /** The time in use is saved with one commit in each such interval. */
  livedSaveMs: 3600 * 1000,
  /** Confirmations of peers are saved after this time at the latest. Those that were lost are confirmed again. */
  receiptWriteMs: 1000,
  /** Time between two scheduled comparisons with the connected peers (`verify`). */
  verifyIntervalMs: 3600 * 1000,
  /** A comparison that finds a difference is repeated twice, after this time each. A difference that a round of sync does not end is real. */
  verifyRepeatMs: 6000,
  /** Time that a peer has to answer a comparison. It may have to read its whole collection first. */
  verifyAnswerMsMax: 60_000,
  /** For a peer, own rows are summed again at most once in this time. */
  verifyRecountMs: 60_000,
  /** A resolver that takes longer is reported. Its answer counts nevertheless. */
  resolverMsMax: 10,
  /** Intervals of the full and of the quick health checks, and the time that one check has. */
  healthIntervalMs: 300_000,
  healthQuickIntervalMs: 1000,
  healthCheckMsMax: 1500,
  /** Time between two checks that the database's file is still in its place. */
  fileWatchMs: 1000,
  /** Within this time an owner whose lock file was removed takes its lock again. */
  lockKeptMs: 3000,
  /** Pause of the integrity scrub between two passes, and time between two checks of the file's own structures. */
  scrubPauseMs: 600_000,
  fileCheckIntervalMs: 24 * 3600 * 1000,
  /** Delay of the first of these checks after the start: its thread takes memory and time that the start needs. */
  fileCheckDelayMs: 10_000,
  /** How long a repair waits for known peers that are not connected before it turns to a backup. */
  repairPeerWaitMs: 60_000,
  /** Time that connected peers have to deliver a damaged document. */
  repairRoundMs: 10_000,
  /** Repairs within the first time of each other are one incident. Incidents are counted over the second. */
  repairIncidentMs: 600_000,
  repairDayMs: 24 * 3600 * 1000,
  /** A node first collects unreferenced blobs once to twice this delay after its start, and then at this interval. */
  blobCollectDelayMs: 600_000,
  blobCollectIntervalMs: 24 * 3600 * 1000,
  /** How long no document must have referred to a blob before it is collected. */
  blobGraceMs: 7 * 24 * 3600 * 1000,
  /** A chunk that is put again is also written again if it is older than this, so that no node is about to collect it. */
  blobRenewMs: 7 * 12 * 3600 * 1000,
  /** Pause after the first failed automatic backup. It doubles with each failure, up to the interval. */
  backupRetryMs: 60_000,
  /** How often the schedule of backups looks whether one is due: timers do not run while the machine sleeps. */
  backupLookMs: 60_000,
  /** Time that a handler has for one operation of the offline queue. */
  queueOperationMsMax: 30_000,
  /** Longest pause before the offline queue retries by itself after a first failure. It doubles with each failure, up to the second value. */
  queueRetryMs: 1000,
  queueRetryMsMax: 300_000,
} as const;
