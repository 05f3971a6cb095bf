/**
 * A shell without a system: its terminal, init and name service are small true things of this file,
 * and all threads run in one loop. Programs are functions; domains end when a test says so.
 */

import type { Prng } from '@barreleye/core';
import { type Capref, capref, OsError, TimerQueue, type Wait } from '@barreleye/libos';
import type { DomainEnd, DomainInfo, Inspector, System } from '@barreleye/program';
import type { Client } from '@barreleye/rpc';
import { Bell } from '@barreleye/rpc';
import { Loop } from '@barreleye/rpc/testing';
import { archX86_64, Err } from '@barreleye/spec';
import type { Command } from '../src/command.ts';
import { COMMANDS } from '../src/command-list.ts';
import { Commands } from '../src/commands.ts';
import { Foreground } from '../src/foreground.ts';
import { runShell } from '../src/run-shell.ts';
import { Screen } from '../src/screen.ts';
import { Session } from '../src/session.ts';
import type { Shell, TerminalClient } from '../src/shell.ts';
import type { ShellOs } from '../src/shell-os.ts';
import { TwinTerminal } from './twin-terminal.ts';

/** A program: what it shows, and how it ends; undefined: it runs until somebody ends it. */
type TwinProgram = (
  args: readonly string[],
  environment: readonly string[],
) => {
  readonly shows?: string;
  readonly end?: DomainEnd;
  /** Turns of the loop until it ends; at once, if left out. */
  readonly after?: number;
};

export function exited(value: number): DomainEnd {
  return { how: 'exited', value, report: '' };
}

/** What there is to start. */
const MACHINE = {
  coreId: 0,
  coreCount: 2,
  runningCount: 1,
  frequency: 1e9,
  ramBytes: 8 * 2 ** 20,
  scheduler: 'rr',
};

const PROGRAMS: { readonly [name: string]: TwinProgram } = {
  hello: ([, whom = 'world']) => ({ shows: `hello, ${whom}\n`, end: exited(0) }),
  fail: ([, value = '1']) => ({ end: exited(Number(value)) }),
  crash: () => ({ end: { how: 'faulted', value: 0, report: 'page fault\n at 0x10' } }),
  environment: (_, environment) => ({ shows: `${environment.join(' ')}\n`, end: exited(0) }),
  soon: ([, after, value]) => ({ after: Number(after), end: exited(Number(value)) }),
  sleeper: () => ({}),
  'echo-server': () => ({}),
};

interface TwinDomain extends DomainInfo {
  state: DomainInfo['state'];
  end: DomainEnd | undefined;
}

/** What a test may decide. */
export interface TwinWishes {
  readonly args?: readonly string[];
  readonly environment?: readonly (readonly [string, string])[];
  readonly commands?: readonly Command[];
  readonly prng?: Prng;
  /** Without the power switch, as a shell that another has started. */
  readonly isNested?: boolean;
  /** Killing does not help. */
  readonly isKillDeaf?: boolean;
}

export class Twin {
  readonly loop: Loop;
  readonly terminal: TwinTerminal;
  readonly domains: TwinDomain[];
  /** What init was told: `kill 7`. */
  readonly log: string[];
  readonly shell: Shell;
  /** What the shell returned, or turned the machine off with. */
  exitValue: number | undefined;
  /** Capabilities of domains that the shell holds. */
  heldCount: number;
  /** Slow down answers of init, so that threads meet in many ways. */
  isSlow: boolean;
  private readonly bell: Bell;
  private readonly timers: TimerQueue;
  private cycles: number;

  constructor(wishes: TwinWishes = {}) {
    this.loop = new Loop(wishes.prng);
    this.terminal = new TwinTerminal(this.loop);
    this.domains = [];
    this.log = [];
    this.exitValue = undefined;
    this.heldCount = 0;
    this.isSlow = wishes.prng !== undefined;
    this.bell = new Bell(this.loop, 'a domain');
    this.timers = new TimerQueue();
    this.cycles = 0;
    for (const name of ['nameservice', 'terminal', 'shell']) this.addDomain(name);
    this.shell = this.createShell(wishes);
    this.loop.create('shell', this.run());
    this.settle();
  }

  /** Type a line; what the shell shows from then on. */
  type(line: string): string[] {
    const from = this.terminal.lines.length;
    this.terminal.answer({ kind: 'line', text: line, cursor: 0 });
    this.settle();
    return this.terminal.lines.slice(from);
  }

  /** Type several lines, one after the other. */
  typeAll(...lines: readonly string[]): string[] {
    return lines.flatMap((line) => this.type(line));
  }

  /** End a domain. */
  endDomain(id: number, end: DomainEnd): void {
    this.finish(id, end);
    this.settle();
  }

  /** Let the threads run, and time pass while they all wait for it. */
  settle(): void {
    this.loop.run();
    while (this.timers.deadline < 1e12) {
      this.cycles = this.timers.deadline;
      this.timers.expireUntil(this.cycles);
      this.loop.run();
    }
  }

  /** Do something after so many turns of the loop. */
  after(turns: number, step: () => void): void {
    const body = function* (): Wait<void> {
      for (let i = 0; i < turns; i++) yield;
      step();
    };
    this.loop.create('a moment', body());
  }

  private *run(): Wait<void> {
    this.exitValue = yield* runShell(this.shell);
  }

  private createShell(wishes: TwinWishes): Shell {
    const { loop, terminal } = this;
    const twin = this;
    const os = this.createOs(wishes);
    return {
      os,
      terminal: terminal as unknown as TerminalClient,
      screen: new Screen(function* (text) {
        yield* terminal.write({ text });
      }),
      session: new Session(os.environment),
      foreground: new Foreground(loop),
      commands: new Commands(wishes.commands ?? COMMANDS),
      lifelines: new Set([2, 3]),
      own: { id: 3, threads: () => [], waits: () => '', regions: () => [], caps: () => [] },
      authority: wishes.isNested ? undefined : capref(11, 1),
      power: wishes.isNested
        ? undefined
        : {
            off: (code) => {
              this.exitValue ??= code;
            },
          },
      *connectInspector() {
        yield* [];
        return {
          *bind() {
            yield* [];
            return twin.createInspector();
          },
          close: () => undefined,
        };
      },
    };
  }

  private createOs({ args = ['shell'], environment = [], isKillDeaf }: TwinWishes): ShellOs {
    const twin = this;
    const os = {
      arch: archX86_64,
      args,
      environment: new Map(environment),
      now: () => twin.cycles,
      *preempt() {},
      *sleep() {
        for (;;) yield* new Bell(twin.loop, 'the end').until(() => false);
      },
      drop() {
        twin.heldCount -= 1;
      },
      spawnThread: (name: string, body: Wait<unknown>) => twin.loop.create(name, body),
      scheduler: Object.assign(twin.loop, { timers: twin.timers }),
      system: twin.createSystem(isKillDeaf),
      names: {
        *list(prefix: string) {
          yield;
          const names = twin.domains.filter(({ name }) => name.startsWith(prefix));
          return names.map(({ id, name }) => ({
            name,
            interfaceName: name,
            core: 0,
            domainId: id,
          }));
        },
      },
    };
    return os as unknown as ShellOs;
  }

  private createSystem(isKillDeaf = false): Partial<Client<(typeof System)['methods']>> {
    const twin = this;
    return {
      *spawn({ program, args, environment }) {
        yield* twin.dawdle();
        const start = Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program] : undefined;
        if (start === undefined) throw new OsError(Err.SPAWN_ERR_NO_PROGRAM);
        const id = twin.addDomain(program);
        twin.heldCount += 1;
        const { shows, end, after } = start([program, ...args], environment);
        if (shows !== undefined) yield* twin.terminal.write({ text: shows });
        if (end !== undefined && after === undefined) twin.finish(id, end);
        else if (end !== undefined) twin.after(after ?? 0, () => twin.finish(id, end));
        yield* twin.dawdle();
        return { core: 0, id, domain: domainCap(id) };
      },
      *wait({ domain }) {
        const found = twin.find(domain.cptr);
        yield* twin.bell.until(() => found.end !== undefined);
        yield* twin.dawdle();
        return { end: found.end ?? exited(0) };
      },
      *kill({ domain }) {
        const { id, end } = twin.find(domain.cptr);
        twin.log.push(`kill ${id}`);
        yield* twin.dawdle();
        if (end !== undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
        if (!isKillDeaf) twin.finish(id, { how: 'killed', value: 0, report: '' });
        return {};
      },
      *suspend({ domain }) {
        yield;
        twin.find(domain.cptr).state = 'suspended';
        return {};
      },
      *resume({ domain }) {
        yield;
        twin.find(domain.cptr).state = 'running';
        return {};
      },
      *list() {
        yield* twin.dawdle();
        return { domains: twin.domains.map((domain) => ({ ...domain })) };
      },
      *domainOf({ id }) {
        yield;
        twin.heldCount += 1;
        return { domain: domainCap(id) };
      },
      *inspectorOf({ domain }) {
        yield;
        twin.log.push(`inspect ${domain.cptr}`);
        return { iref: 1 };
      },
      *programs() {
        yield;
        return { names: Object.keys(PROGRAMS) };
      },
      *machine() {
        yield;
        return MACHINE;
      },
    };
  }

  /** No domain answers questions. */
  private createInspector(): Client<(typeof Inspector)['methods']> {
    const { bell } = this;
    function* hang(): Wait<never> {
      for (;;) yield* bell.until(() => false);
    }
    return { threads: hang, regions: hang, caps: hang };
  }

  private addDomain(name: string): number {
    const id = this.domains.length + 1;
    const quotaBytes = 2 ** 20;
    const state = 'running' as const;
    const info = { core: 0, id, parent: 0, name, state, usedBytes: 4096, quotaBytes };
    this.domains.push({ ...info, end: undefined });
    return id;
  }

  private find(id: number): TwinDomain {
    const found = this.domains.find((domain) => domain.id === id);
    if (found === undefined) throw new OsError(Err.SPAWN_ERR_NO_DOMAIN);
    return found;
  }

  private finish(id: number, end: DomainEnd): void {
    const domain = this.find(id);
    domain.end ??= end;
    domain.state = 'ended';
    this.bell.ring();
  }

  private *dawdle(): Wait<void> {
    if (this.isSlow) for (let i = 0; i < 3; i++) yield;
  }
}

/** The twin's capability of a domain: its address is the number. */
function domainCap(id: number): Capref<'Domain'> {
  return { ...capref<'Domain'>(0, 0), cptr: id as Capref['cptr'] };
}
