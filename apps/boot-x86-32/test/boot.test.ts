/** The whole system on x86_32, with PAE and without, from power-on to power-off. */

import { bootTarget, runScript } from '@barreleye/boot';
import { expect, test } from 'vitest';
import { targetX86_32, targetX86_32NoPae } from '../src/index.ts';

const LINES = [
  'help',
  'cores',
  'mem',
  'alloc 8192',
  'alloc 100',
  'mem',
  'vm',
  'vm 0',
  'free m1',
  'free m1',
  'peek 0x10',
  'poke 0x10 1',
  'alloc 0',
  'alloc 1000g',
  'frobnicate',
  '  ; ;; cores ;',
  'caps',
  'caps 0',
  'caps 99',
  'exit 3',
];

test.each([
  ['with PAE', targetX86_32, 'transcript-pae.txt'],
  ['without PAE', targetX86_32NoPae, 'transcript.txt'],
])('boots, serves every command, survives page faults and powers off, %s', async (...row) => {
  const [, target, transcript] = row;
  const booted = bootTarget(target);
  if (!booted.ok) throw new Error(booted.message);
  const { screen, exitCode } = runScript(booted.system.machine, LINES);
  expect(exitCode).toBe(3);
  await expect(screen).toMatchFileSnapshot(transcript);
});
