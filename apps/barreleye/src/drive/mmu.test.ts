/** `drive mmu`: the examples of docs/drive.md, and input that is not of the form. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InputError } from './input.ts';
import { driveMmu } from './mmu.ts';

const page = readFileSync(new URL('../../../../docs/drive.md', import.meta.url), 'utf8');
const [section = ''] = page.split('## `caps`');
const documents = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(
  ([, json = '']) => JSON.parse(json) as { readonly arch?: string },
);

test.each([
  ['x86_64', 0],
  ['armv7', 2],
])('the %s example of the documentation gives the answer that stands there', (arch, i) => {
  expect(documents[i]?.arch).toBe(arch);
  expect(driveMmu(documents[i])).toEqual(documents[i + 1]);
});

test.each([
  [{}, 'arch'],
  [{ arch: 'vax', root: 0, memory: [], probes: [] }, 'arch'],
  [{ arch: 'x86_64', root: -1, memory: [], probes: [] }, 'root'],
  [{ arch: 'x86_64', root: 0, memory: [{ base: 0, hex: 'xyz' }], probes: [] }, 'memory.0.hex'],
  [{ arch: 'x86_64', root: 0, memory: [{ base: 0 }], probes: [] }, 'memory.0'],
  [
    { arch: 'x86_64', root: 0, memory: [{ base: '0xfffffffff000', size: 1 }], probes: [] },
    'memory.0',
  ],
  [
    { arch: 'x86_64', root: 0, memory: [], probes: [{ va: 'x', access: 'r', user: true }] },
    'probes.0.va',
  ],
  [
    { arch: 'x86_64', root: 0, memory: [], probes: [{ va: 0, access: 'q', user: true }] },
    'probes.0.access',
  ],
])('%j names the field that is wrong', (document, field) => {
  let message = '';
  try {
    driveMmu(document);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    message = error.message;
  }
  expect(message.split(':')[0]).toBe(field);
});
