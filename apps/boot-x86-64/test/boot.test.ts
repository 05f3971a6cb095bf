/** The whole system on x86_64, from power-on to power-off, against a transcript. */

import { bootTarget, runScript } from '@barreleye/boot';
import { expect, test } from 'vitest';
import { targetX86_64 } from '../src/index.ts';

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

test('boots, serves every command, survives page faults and powers off', async () => {
  const booted = bootTarget(targetX86_64);
  if (!booted.ok) throw new Error(booted.message);
  const { screen, exitCode } = runScript(booted.system.machine, LINES);
  expect(exitCode).toBe(3);
  await expect(screen).toMatchFileSnapshot('transcript.txt');
});
