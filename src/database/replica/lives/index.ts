export { type FormerLives, parseFormerLives } from './former-lives.ts';
export { Namesakes, namesakeAmong, oneOfEach } from './namesakes.ts';
export { draftNewLife } from './new-life.ts';
export { OwnLives } from './own-lives.ts';
