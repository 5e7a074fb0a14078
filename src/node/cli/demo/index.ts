export { measuredText } from './narrate.ts';
export { DemoStopped, runDemo } from './run-demo.ts';
export { createScreen, silentScreen } from './screen.ts';
