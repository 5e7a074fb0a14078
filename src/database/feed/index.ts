export { ChangeFeeds, type ChangeFeedsDeps } from './change-feeds.ts';
export { DecodedChanges } from './decoded-changes.ts';
