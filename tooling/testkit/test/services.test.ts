/** What init does for the services that make a system: starts them again, within bounds. */

import { withPrograms } from '@barreleye/boot';
import { decodeUtf8 } from '@barreleye/core';
import { type AppProgram, program } from '@barreleye/program';
import { defineInterface } from '@barreleye/rpc';
import { systemPrograms } from '@barreleye/userland';
import { describe, expect, test } from 'vitest';
import { boot, TARGETS, type TestTarget } from '../src/index.ts';

const Nothing = defineInterface('nothing', {});

/** Boot with `shell` as the shell, until nothing is left to do: what the terminal has shown. */
function showSystem({ name, target }: TestTarget, shell: AppProgram): string[] {
  const platform = { paging: target.paging };
  const programs = systemPrograms(platform).map((each) =>
    each.name === 'shell' ? shell.link(platform) : each,
  );
  const { machine } = boot({ name, target: withPrograms(target, programs) });
  const shown: number[] = [];
  machine.console.transmit = (byte) => shown.push(byte);
  expect(machine.run(1e10).kind).toBe('idle');
  expect(machine.programFailures).toEqual([]);
  return decodeUtf8(shown).trimEnd().split('\r\n');
}

describe.each(TARGETS)('on $name', (target) => {
  test('a shell that dies is started again, three times, and init says why it died', () => {
    let starts = 0;
    const shell = program('shell', function* (os) {
      starts += 1;
      yield* os.printLine(`start ${starts}`);
      throw new Error(`too tired ${starts}`);
    });
    const died = (i: number): string[] => [
      `start ${i}`,
      expect.stringMatching(
        new RegExp(`^init: shell \\(domain \\d+\\) died: thread main: too tired ${i}$`),
      ),
    ];
    expect(showSystem(target, shell)).toEqual([
      ...[1, 2, 3, 4].flatMap(died),
      'init: shell has ended for good',
    ]);
  });

  test('a shell that is back finds what the one before it has left: no names, all memory', () => {
    const quotas: number[] = [];
    const shell = program('shell', function* (os) {
      yield* os.names.waitFor('terminal');
      const { quotaBytes, freeBytes } = yield* os.system.memory({});
      quotas.push(quotaBytes);
      const names = (yield* os.names.list('')).map(({ name }) => name);
      yield* os.printLine(`names: ${names.join(' ')}, free: ${freeBytes}`);
      yield* os.names.serve('own', Nothing, {});
      yield* os.memory.reserve(2 ** 20);
      yield* os.fail('on purpose');
    });
    const lines = showSystem(target, shell).filter((line) => line.startsWith('names: '));
    expect(lines).toHaveLength(4);
    expect(new Set(lines.slice(1)).size, lines.join()).toBe(1);
    expect(new Set(quotas).size).toBe(1);
  });
});
