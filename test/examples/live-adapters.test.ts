/**
 * Goal: the adapters for React, Vue, Svelte and the windows of Electron show what a live query says, with the framework itself at work, and let go of it
 * when nobody looks any more. Method: the program of each example, which writes while something of the framework is mounted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExampleFolder } from './example-folder.ts';

const react = new ExampleFolder('react');
const vue = new ExampleFolder('vue');
const svelte = new ExampleFolder('svelte');
const electron = new ExampleFolder('electron');

test('each of them compiles', async () => {
  for (const example of [react, vue, svelte, electron]) await example.assertCompiles();
});

test('React: a component renders each result, in strict mode', async () => {
  const lines = (await react.run()).split('\n');
  // Beside the frames, the renderer says that it is deprecated: the only one without a browser that weighs little.
  assert.deepEqual(lines.filter((line) => line.endsWith('}')).map(frameOf), [
    'at first: 1 of 1: water the plants',
    'after a write: 2 of 2: feed the cat, water the plants',
    'after another: 1 of 2: feed the cat',
    'the done ones: 1 of 2: water the plants',
  ]);
});

test('Vue: refs follow each result, another query when the filter changes, and nothing after the scope', async () => {
  const lines = (await vue.run()).trim().split('\n');
  assert.deepEqual(lines, [
    "[ 'water the plants' ] of 1",
    "[ 'feed the cat', 'water the plants' ] of 2",
    "[ 'feed the cat' ] of 2",
    "[ 'water the plants' ] of 2",
    "stopped at [ 'water the plants' ]",
  ]);
});

test('Svelte: a store follows each result while somebody is subscribed', async () => {
  const lines = (await svelte.run()).trim().split('\n');
  assert.deepEqual(lines.at(-1), 'feed the cat of 2');
  assert.ok(lines.includes('water the plants of 1'));
  assert.ok(lines.includes('feed the cat,water the plants of 2'));
  assert.ok(!lines.some((line) => / of [01]$/.test(line) && lines.indexOf(line) > lines.indexOf('feed the cat of 2')));
});

test('Electron: a window follows a query of the main process over messages, and sees only what it may', async () => {
  const lines = (await electron.run()).trim().split('\n');
  assert.deepEqual(lines, [
    "the window shows [ 'water the plants' ]",
    "the window shows [ 'feed the cat', 'water the plants' ]",
    'Error: collection secrets is not for windows',
  ]);
});

/** One printed frame in short: when it was, the counts, and the titles. */
function frameOf(line: string): string {
  const [when, ...json] = line.split(': ');
  const tree = JSON.parse(json.join(': ')) as { props: { title: string }; children: { children: string[] }[] };
  return `${when}: ${tree.props.title}: ${tree.children.map(({ children }) => children.join('')).join(', ')}`;
}
