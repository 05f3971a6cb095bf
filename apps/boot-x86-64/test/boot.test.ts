/** The whole system on x86_64, from power-on to power-off, against a transcript. */

import { bootTarget, runScript } from '@barreleye/boot';
import { SYSTEM_LINES } from '@barreleye/userland/testing';
import { expect, test } from 'vitest';
import { targetX86_64 } from '../src/index.ts';

test('boots, serves every command, survives page faults and powers off', async () => {
  const booted = bootTarget(targetX86_64);
  if (!booted.ok) throw new Error(booted.message);
  const { screen, exitCode } = runScript(booted.system.machine, SYSTEM_LINES);
  expect(exitCode).toBe(3);
  await expect(screen).toMatchFileSnapshot('transcript.txt');
});
