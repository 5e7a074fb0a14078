export { measuredText } from './narrate.ts';
export { runDemo } from './run-demo.ts';
export { createScreen, silentScreen } from './screen.ts';
