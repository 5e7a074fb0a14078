export { BLOB_TYPE, BLOBS_LISTED_MAX } from './blob-routes.ts';
export { errorBody } from './error-response.ts';
export { type HttpServer, type HttpServerOptions, startHttpServer } from './http-server.ts';
export { QUERY_LIMIT_MAX } from './query-routes.ts';
