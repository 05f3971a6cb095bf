/**
 * What a system of one core must be able to do, as its own programs see it: start others with
 * arguments and list, wait for and kill them (acceptance test 39); get memory that is there where
 * it is touched; call each other with what is short or long, and from several threads.
 */

import { capIdentify, type Thread, unwrap, type Wait } from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { call, cap, defineInterface, string, u32 } from '@barreleye/rpc';
import { PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import {
  type Child,
  endOf,
  expectNothingLeft,
  kill,
  runSystem,
  start,
  TARGETS,
  type Tester,
} from '../src/index.ts';

const KIB = 1024;
const MIB = 2 ** 20;
const PAGE = 4096;
const SMALL = { quotaBytes: MIB };
const { Read, Write } = PageFlag;

/** Shows its arguments; its value is their number. */
function* showArgs(os: ProgramOs): Wait<number> {
  yield* os.printLine(JSON.stringify(os.args));
  return os.args.length;
}

/** Ends when there is a grader. */
const patient = program('patient', function* (os) {
  yield* os.names.waitFor('grader');
  return 42;
});

const chatty = program('chatty', function* (os) {
  for (let i = 0; ; i++) {
    yield* os.printLine(`chatty ${i}`);
    yield* os.sleep(500_000);
  }
});

const Grading = defineInterface('grading', {
  number: call({ n: u32 }, { n: u32 }),
  text: call({ text: string(8192) }, { length: u32, text: string(8192) }),
  ram: call({}, { ram: cap('RAM') }),
});

/** Answers what it is asked; `ram` is what it has got from init. */
const grader = program('grader', function* (os) {
  const { ram } = yield* os.system.allocRam({ bytes: PAGE, alignBytes: PAGE });
  yield* os.names.serve('grader', Grading, {
    number: ({ n }) => ({ n }),
    text: ({ text }) => ({ text, length: text.length }),
    ram: () => ({ ram }),
  });
});

/** Reserves MiB, touches every 8th page of a quarter of them, in so many threads. */
const lazy = program('lazy', function* (os) {
  const [, mebibytes, threadCount] = os.args.map(Number);
  const bytes = (mebibytes ?? 0) * MIB;
  const { base } = unwrap(os.memory.vspace.reserve({ bytes, flags: Read | Write }));
  const touch = function* (share: number): Wait<void> {
    for (let at = 8 * PAGE * share; at < bytes / 4; at += 8 * PAGE * (threadCount ?? 1)) {
      if ((yield* os.load32(base + at)) !== 0) throw new Error('new memory is zero');
      yield* os.store32(base + at, at);
    }
  };
  const threads: Thread[] = [];
  for (let t = 0; t < (threadCount ?? 1); t++) threads.push(os.spawnThread('toucher', touch(t)));
  for (const thread of threads) yield* os.join(thread);
  for (let at = 0; at < bytes / 4; at += 8 * PAGE) {
    if ((yield* os.load32(base + at)) !== at) throw new Error('memory keeps what is stored');
  }
  return (yield* os.system.memory({})).usedBytes / MIB;
});

const others = [
  program('plain', showArgs),
  program('with-defaults', showArgs),
  patient,
  chatty,
  grader,
  lazy,
];
const menuArgs = { 'with-defaults': 'a0 "a 1" a2' };

describe.each(TARGETS)('on $name', (target) => {
  const run = (scenario: (tester: Tester) => Wait<void>, ramBytes = 32 * MIB): string => {
    const main = (tester: Tester) => expectNothingLeft(tester, () => scenario(tester));
    return runSystem(target, main, { others, menuArgs, ramBytes }).screen;
  };

  test('39: programs see the arguments that they are started with', () => {
    const long = 'x'.repeat(252);
    const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      ['plain', [], ['plain']],
      ['with-defaults', [], ['with-defaults', 'a0', 'a 1', 'a2']],
      ['with-defaults', ['b'], ['with-defaults', 'b']],
      ['plain', ['arg1', 'arg2', 'arg3'], ['plain', 'arg1', 'arg2', 'arg3']],
      ['plain', ['1', '2', '3', '4', '5'], ['plain', '1', '2', '3', '4', '5']],
      ['plain', ['with spaces in it', ''], ['plain', 'with spaces in it', '']],
      ['plain', [long], ['plain', long]],
      ['plain', ['Grüße', '"', '\\', '🐟'], ['plain', 'Grüße', '"', '\\', '🐟']],
    ];
    const screen = run(function* ({ os }) {
      for (const [name, args, seen] of cases) {
        const end = yield* endOf(os, yield* start(os, name, { ...SMALL, args: [...args] }));
        expect(end).toEqual({ how: 'exited', value: seen.length, report: '' });
      }
    });
    const lines = cases.map(([, , seen]) => JSON.stringify(seen));
    expect(screen.trimEnd().split('\n')).toEqual([...lines, ...lines]); // it runs twice
  });

  test('39: 16 in a row are all listed, by number and name, and each shows its own', () => {
    const screen = run(function* ({ os }) {
      const children: Child[] = [];
      for (let i = 0; i < 16; i++) {
        children.push(yield* start(os, 'patient', { ...SMALL, args: [`${i}`] }));
      }
      const { domains } = yield* os.system.list({});
      const listed = domains.filter(({ name }) => name === 'patient');
      expect(listed.map(({ id }) => id)).toEqual(children.map(({ id }) => id));
      expect(domains.map(({ name }) => name).slice(0, 4)).toEqual([
        'init',
        'nameservice',
        'terminal',
        'shell',
      ]);
      expect(domains).toHaveLength(4 + 16);
      for (const child of children) yield* kill(os, child);
      for (let i = 0; i < 16; i++) {
        yield* endOf(os, yield* start(os, 'plain', { ...SMALL, args: [`${i}`] }));
      }
      expect((yield* os.system.list({})).domains).toHaveLength(4);
    });
    const lines = Array.from({ length: 16 }, (_, i) => `["plain","${i}"]`);
    expect(screen.trimEnd().split('\n')).toEqual([...lines, ...lines]);
  });

  test('39: a wait is over when the domain has ended, and not before', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'patient', SMALL);
      const waiting = os.spawnThread('waits', endOf(os, child));
      yield* os.sleep(20_000_000);
      expect(waiting.state).toBe('blocked');
      const grading = yield* start(os, 'grader', SMALL);
      expect(yield* os.join(waiting)).toEqual({ how: 'exited', value: 42, report: '' });
      yield* kill(os, grading);
    });
  });

  test('39: a program that is killed is silent, and its memory is back', () => {
    run(function* ({ os, init, screen }) {
      const free = init.memory.mm.freeBytes();
      const child = yield* start(os, 'chatty', SMALL);
      yield* os.sleep(5_000_000);
      yield* kill(os, child);
      yield* os.sleep(100_000);
      const said = screen();
      expect(said).toContain('chatty 5');
      yield* os.sleep(20_000_000);
      expect(screen()).toBe(said);
      expect(init.memory.mm.freeBytes()).toBe(free);
    });
  });

  test('RAM comes in every size from 4 KiB to 1 MiB, and from any thread', () => {
    run(function* ({ os }) {
      for (let bytes = 4 * KIB; bytes <= MIB; bytes *= 2) {
        const { ram, base, bytes: got } = yield* os.system.allocRam({ bytes, alignBytes: bytes });
        expect(base % bytes).toBe(0);
        expect(got).toBeGreaterThanOrEqual(bytes);
        expect(unwrap(capIdentify(os.sys, ram))).toMatchObject({ type: 'RAM', base, bytes: got });
        os.drop(ram);
        yield* os.system.freeRam({ base });
      }
    });
  });

  test.each([
    [32, 1],
    [400, 1],
    [64, 2],
    [64, 4],
  ])('of %d lazy MiB a domain pays for what %d threads of it touch', (mebibytes, threadCount) => {
    run(function* ({ os }) {
      const args = [`${mebibytes}`, `${threadCount}`];
      const child = yield* start(os, 'lazy', { args, quotaBytes: 24 * MIB });
      const end = yield* endOf(os, child);
      expect(end.report).toBe('');
      expect(end.how).toBe('exited');
      expect(end.value).toBeLessThan(mebibytes / 32 + 6);
    }, 64 * MIB);
  });

  test('calls carry numbers, strings of any length, and RAM', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'grader', SMALL);
      const client = yield* os.names.connect('grader', Grading, true);
      expect(yield* client.number({ n: 42 })).toEqual({ n: 42 });
      const hello = yield* client.text({ text: 'hello init' });
      expect(hello).toEqual({ text: 'hello init', length: 10 });
      for (const length of [5, 32, 255, 1023, 4097]) {
        const text = Array.from({ length }, (_, i) => String.fromCharCode(65 + (i % 26))).join('');
        expect((yield* client.text({ text })).text).toBe(text);
      }
      const { ram } = yield* client.ram({});
      expect(unwrap(capIdentify(os.sys, ram)).bytes).toBe(PAGE);
      os.drop(ram);
      yield* kill(os, child);
    });
  });

  test('8 threads make 10 calls each of many kinds, all over one channel', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'grader', SMALL);
      const client = yield* os.names.connect('grader', Grading, true);
      const work = function* (t: number): Wait<number> {
        let right = 0;
        for (let i = 0; i < 10; i++) {
          const text = `${t}`.repeat(1 + 37 * i);
          if ((yield* client.number({ n: 100 * t + i })).n === 100 * t + i) right += 1;
          if ((yield* client.text({ text })).text === text) right += 1;
          const { ram } = yield* client.ram({});
          os.drop(ram);
          const taken = yield* os.system.allocRam({ bytes: PAGE, alignBytes: PAGE });
          os.drop(taken.ram);
          yield* os.system.freeRam({ base: taken.base });
          yield* os.print('.');
        }
        return right;
      };
      const threads = Array.from({ length: 8 }, (_, t) => os.spawnThread(`caller ${t}`, work(t)));
      for (const thread of threads) expect(yield* os.join(thread)).toBe(20);
      yield* kill(os, child);
    });
  });
});
