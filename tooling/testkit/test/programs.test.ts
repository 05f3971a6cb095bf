/** The programs of `apps/programs` in whole systems: what they show, and what they leave behind. */

import { runScript } from '@barreleye/boot';
import type { Wait } from '@barreleye/libos';
import type { DomainEnd, ProgramOs } from '@barreleye/program';
import { programs } from '@barreleye/programs';
import { describe, expect, test } from 'vitest';
import { boot, runSystem, TARGETS } from '../src/index.ts';

const wishes = { ramBytes: 64 * 2 ** 20 };
const CTRL_D = '\u0004';

/** Every program as its README shows it. */
const LINES = [
  'run hello',
  'run hello ann and bob',
  'run count 3',
  'run echo-client early bird &',
  'run echo-server &',
  'wait %1',
  'run echo-server',
  'run echo-client one two',
  'run echo-client',
  'three',
  CTRL_D,
  'names',
  'kill %2; names',
  'run ping-pong 100',
  'run ping-pong nonsense',
  'run producers',
  'span-primes 1000',
  'run deadlock',
  'echo $?',
  'run crash',
  'run hog',
  'exit',
];

/** Start a program and wait for its end. */
function* run(os: ProgramOs, program: string, ...args: string[]): Wait<DomainEnd> {
  const { domain } = yield* os.system.spawn({ program, args, environment: [], caps: [] });
  const { end } = yield* os.system.wait({ domain });
  os.drop(domain);
  return end;
}

/** Names of the domains that run. */
function* running(os: ProgramOs): Wait<string[]> {
  const { domains } = yield* os.system.list({});
  return domains.filter(({ state }) => state === 'running').map(({ name }) => name);
}

test('programs do as their README says', async () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const { screen, exitCode } = runScript(boot(target, wishes).machine, LINES);
  expect(exitCode).toBe(0);
  await expect(screen).toMatchFileSnapshot('programs.txt');
});

test('all targets show the same but for numbers', () => {
  const [first, ...others] = TARGETS.map((target) => {
    const { screen } = runScript(boot(target, wishes).machine, LINES);
    return screen.replaceAll(/0x[0-9a-f]+|[0-9]+(\.[0-9]+)?/g, '#').replace(/^.*\n/, '');
  });
  for (const screen of others) expect(screen).toBe(first);
});

describe.each(TARGETS)('on $name', (target) => {
  test('a partner is gone when its program is killed', () => {
    runSystem(
      target,
      function* ({ os }) {
        const before = yield* running(os);
        const request = { program: 'ping-pong', args: ['1000000'], environment: [], caps: [] };
        const { domain } = yield* os.system.spawn(request);
        yield* os.sleep(1_000_000);
        expect((yield* running(os)).slice(before.length)).toEqual(['ping-pong', 'pong']);
        yield* os.system.kill({ domain });
        yield* os.system.wait({ domain });
        yield* os.sleep(1_000_000);
        expect(yield* running(os)).toEqual(before);
      },
      { ...wishes, others: programs },
    );
  });

  test('programs leave no memory behind, however they end', () => {
    runSystem(
      target,
      function* ({ os }) {
        const used: number[] = [];
        for (let i = 0; i < 3; i++) {
          for (const name of ['hello', 'crash', 'deadlock', 'hog', 'producers', 'ping-pong']) {
            yield* run(os, name);
          }
          yield* os.sleep(1_000_000); // pong ends by itself
          const { freeBytes } = yield* os.system.memory({});
          used.push(freeBytes);
        }
        expect(used[2]).toBe(used[1]);
      },
      { ...wishes, others: programs },
    );
  });
});
