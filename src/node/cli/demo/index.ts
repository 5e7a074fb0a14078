export { measuredText } from './narrate.ts';
export { type DemoOptions, type DemoReport, DemoStopped, runDemo } from './run-demo.ts';
export { createScreen, silentScreen } from './screen.ts';
