/**
 * Goal: the adapters for React, Vue, Svelte and the windows of Electron show the results of a live query in the real
 * framework, and release the query once nobody looks. Method: the program of each example, which writes while a component,
 * scope, subscription or window is open.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExampleFolder } from './example-folder.ts';

const react = new ExampleFolder('react');
const vue = new ExampleFolder('vue');
const svelte = new ExampleFolder('svelte');
const electron = new ExampleFolder('electron');

test('each example compiles', async () => {
  for (const example of [react, vue, svelte, electron]) await example.assertCompiles();
});

test('React: a component renders each result, in strict mode', async () => {
  const lines = (await react.run()).split('\n');
  // Besides the frames, the renderer prints that it is deprecated. It is the only small one that needs no browser.
  assert.deepEqual(lines.filter((line) => line.endsWith('}')).map(frameOf), [
    'at first: 1 of 1: water the plants',
    'after a write: 2 of 2: feed the cat, water the plants',
    'after another: 1 of 2: feed the cat',
    'the done ones: 1 of 2: water the plants',
  ]);
});

test('Vue: refs follow each result, switch queries when the filter changes, and stop with their scope', async () => {
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

/** One printed frame, shortened: its moment, the counts and the titles. */
function frameOf(line: string): string {
  const [when, ...json] = line.split(': ');
  const tree = JSON.parse(json.join(': ')) as { props: { title: string }; children: { children: string[] }[] };
  return `${when}: ${tree.props.title}: ${tree.children.map(({ children }) => children.join('')).join(', ')}`;
}
