export { ChangeFeeds } from './change-feeds.ts';
export { DecodedChanges } from './decoded-changes.ts';
