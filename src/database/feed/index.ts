export { ChangeFeeds, type ChangeFeedsDeps } from './change-feeds.ts';
