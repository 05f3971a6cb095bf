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

/** A page at `0x1000` that user mode may read only, in the tables of `arch`. */
function onePage(arch: string): object {
  const pointers = [{ base: '0x10000', size: '0x1000', u64: ['0x11001'] }];
  const isPae = arch.includes('pae');
  const key = isPae ? 'u64' : 'u32';
  return {
    arch,
    root: isPae ? '0x10000' : '0x11000',
    memory: [
      ...(isPae ? pointers : []),
      { base: '0x11000', size: '0x1000', [key]: ['0x12007'] },
      { base: '0x12000', size: '0x1000', [key]: [0, '0x200005'] },
    ],
    probes: [
      { va: '0x1234', access: 'r', user: true },
      { va: '0x1234', access: 'w', user: true },
      { va: '0xffffffff80000000', access: 'x', user: true },
    ],
  };
}

test.each([
  ['i386', 4],
  ['x86_32', 4],
  ['pae', 20],
  ['x86_32_pae', 20],
])('walks the tables of %s', (arch, fetchCode) => {
  const fault = (code: number, addr: string) => ({ kind: 'page-fault', code, addr });
  expect(driveMmu(onePage(arch))).toEqual({
    probes: [
      { va: '0x1234', access: 'r', user: true, pa: '0x200234' },
      { va: '0x1234', access: 'w', user: true, fault: fault(7, '0x1234') },
      {
        va: '0xffffffff80000000',
        access: 'x',
        user: true,
        fault: fault(fetchCode, '0x80000000'),
      },
    ],
    changed: [
      { addr: '0x11000', value: '0x12027' },
      { addr: arch.includes('pae') ? '0x12008' : '0x12004', value: '0x200025' },
    ],
  });
});

test.each([
  ['i386', '0x20'],
  ['pae', '0x10'],
])('%s refuses the CR4.PAE of the other format', (arch, cr4) => {
  expect(() => driveMmu({ ...onePage(arch), regs: { cr4 } })).toThrow(InputError);
});
