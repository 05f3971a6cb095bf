/** `drive ump`: the example of docs/drive.md, what arrives, and input not of the form. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InputError } from './input.ts';
import { driveUmp } from './ump.ts';

const page = readFileSync(new URL('../../../../docs/drive.md', import.meta.url), 'utf8');
const [section = ''] = page.split('\n## `ump`')[1]?.split('\n## ') ?? [];

interface Output {
  readonly arrived: readonly (readonly number[])[];
  readonly reverseArrived: readonly (readonly number[])[];
  readonly fullStalls: number;
  readonly steps: number;
}

const run = (document: object): Output => driveUmp(document) as Output;
const count = (n: number, from = 0): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: i % 15 }, () => from + i));

test('the example of the documentation gives the answer that stands there', () => {
  const [input = '', output = ''] = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, json = '']) => json,
  );
  expect(driveUmp(JSON.parse(input))).toEqual(JSON.parse(output));
});

test.each([1, 2, 5, 29])('over %d slots everything arrives, both ways, in any order', (slots) => {
  const messages = count(200);
  const reverse = count(150, 1000);
  for (let schedule = 0; schedule < 20; schedule++) {
    const output = run({ slots, messages, reverse, schedule });
    expect([output.arrived, output.reverseArrived]).toEqual([messages, reverse]);
    expect(output.steps).toBeGreaterThanOrEqual(400);
  }
});

test('the same seed is the same run', () => {
  const document = { slots: 3, messages: count(50), schedule: 77 };
  expect(run(document)).toEqual(run(document));
});

test('a receiver that stalls holds the sender up, and nothing is lost before', () => {
  const messages = count(40);
  for (let schedule = 0; schedule < 20; schedule++) {
    const reverse = count(40);
    const output = run({ slots: 4, messages, reverse, schedule, stallReceiverAt: 7 });
    expect(output.arrived).toEqual(messages.slice(0, 7));
    expect(output.fullStalls).toBeGreaterThan(0);
    expect(output.reverseArrived).toEqual(reverse.slice(0, output.reverseArrived.length));
    expect(output.reverseArrived.length).toBeLessThan(40);
  }
  expect(run({ slots: 4, messages, stallReceiverAt: 0 }).arrived).toEqual([]);
});

test('a list of turns is followed to its end', () => {
  const messages = [[1], [2], [3]];
  expect(run({ slots: 1, messages, schedule: ['r', 's', 's', 'r', 's'] })).toEqual({
    arrived: [[1]],
    reverseArrived: [],
    fullStalls: 1,
    steps: 5,
  });
  expect(run({ slots: 1, messages: [], schedule: [] }).steps).toBe(0);
});

test.each([
  [{}, 'slots'],
  [{ slots: 0, messages: [] }, 'slots'],
  [{ slots: 2 ** 21, messages: [] }, 'slots'],
  [{ slots: 1, messages: [[2 ** 32]] }, 'messages.0.0'],
  [{ slots: 1, messages: [[], new Array(15).fill(0)] }, 'messages.1'],
  [{ slots: 1, messages: [], reverse: [[-1]] }, 'reverse.0.0'],
  [{ slots: 1, messages: [], schedule: ['x'] }, 'schedule'],
  [{ slots: 1, messages: [], stallReceiverAt: -1 }, 'stallReceiverAt'],
  [{ slots: 1, messages: [], more: 1 }, 'input'],
])('%j names the field that is wrong', (document, field) => {
  let message = '';
  try {
    driveUmp(document);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    message = error.message;
  }
  expect(message.split(':')[0]).toBe(field);
});
