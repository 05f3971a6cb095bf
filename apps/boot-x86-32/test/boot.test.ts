/** The whole system on x86_32, with PAE and without, from power-on to power-off. */

import { bootTarget, runScript } from '@barreleye/boot';
import { SYSTEM_LINES } from '@barreleye/userland/testing';
import { expect, test } from 'vitest';
import { targetX86_32, targetX86_32NoPae } from '../src/index.ts';

test.each([
  ['with PAE', targetX86_32, 'transcript-pae.txt'],
  ['without PAE', targetX86_32NoPae, 'transcript.txt'],
])('boots, serves every command, survives page faults and powers off, %s', async (...row) => {
  const [, target, transcript] = row;
  const booted = bootTarget(target);
  if (!booted.ok) throw new Error(booted.message);
  const { screen, exitCode } = runScript(booted.system.machine, SYSTEM_LINES);
  expect(exitCode).toBe(3);
  await expect(screen).toMatchFileSnapshot(transcript);
});
