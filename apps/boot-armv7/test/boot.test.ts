/** The whole system on armv7, from power-on to power-off, against a transcript. */

import { bootTarget, runScript } from '@barreleye/boot';
import { SYSTEM_LINES } from '@barreleye/userland/testing';
import { expect, test } from 'vitest';
import { targetArmv7 } from '../src/index.ts';

test('boots, serves every command, survives page faults and powers off', async () => {
  const booted = bootTarget(targetArmv7);
  if (!booted.ok) throw new Error(booted.message);
  const { screen, exitCode } = runScript(booted.system.machine, SYSTEM_LINES);
  expect(exitCode).toBe(3);
  await expect(screen).toMatchFileSnapshot('transcript.txt');
});
