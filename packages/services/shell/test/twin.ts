/**
 * A shell without a system: its terminal, init and name service are small true things of this file,
 * and all threads run in one loop. Programs are functions; domains end when a test says so.
 */

import type { Prng } from '@barreleye/core';
import { type Capref, capref, OsError, TimerQueue, type Wait } from '@barreleye/libos';
import type {
  ChannelInfo,
  CoreInfo,
  DomainEnd,
  DomainInfo,
  Inspector,
  SystemClient,
} from '@barreleye/program';
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

const MACHINE = {
  coreId: 0,
  frequency: 1e9,
  ramBytes: 8 * 2 ** 20,
  scheduler: 'rr',
};

/** What there is to start. */
const PROGRAMS: { readonly [name: string]: TwinProgram } = {
  hello: ([, whom = 'world']) => ({ shows: `hello, ${whom}\n`, end: exited(0) }),
  fail: ([, value = '1']) => ({ end: exited(Number(value)) }),
  crash: () => ({ end: { how: 'faulted', value: 0, report: 'page fault\n at 0x10' } }),
  environment: (_, environment) => ({ shows: `${environment.join(' ')}\n`, end: exited(0) }),
  soon: ([, after, value]) => ({ after: Number(after), end: exited(Number(value)) }),
  sleeper: () => ({}),
  'echo-server': () => ({}),
  shell: ([, ...args]) => ({ shows: `shell: ${args.join(' ')}\n`, end: exited(0) }),
};

/** As the first core knows them. */
const CORES: readonly CoreInfo[] = [
  { core: 0, state: 'running', why: '' },
  { core: 1, state: 'off', why: '' },
];

/** Domains of one core, at most. */
const MAX_DOMAINS = 1000;

/** Ends of channels between cores. */
const CHANNELS: readonly (ChannelInfo & { readonly on: number })[] = [
  { on: 0, channel: 1, domain: 2, peerCore: 2, side: 'server', state: 'open' },
  { on: 2, channel: 7, domain: 1, peerCore: 0, side: 'client', state: 'waiting' },
];

type TwinSystem = Partial<SystemClient>;

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
  readonly cores?: readonly CoreInfo[];
  /** The core on which the shell is. */
  readonly ownCore?: number;
  /** Cores that run, and do not answer. */
  readonly silentCores?: readonly number[];
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
  private readonly cores: readonly CoreInfo[];
  private readonly ownCore: number;
  private readonly silentCores: readonly number[];
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
    this.cores = wishes.cores ?? CORES;
    this.ownCore = wishes.ownCore ?? 0;
    this.silentCores = wishes.silentCores ?? [];
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
  endDomain(id: number, end: DomainEnd, core = this.ownCore): void {
    this.finish(core, id, end);
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
      lifelines: [2, 3].map((id) => ({ core: this.ownCore, id })),
      own: {
        core: this.ownCore,
        id: 3,
        threads: () => [],
        waits: () => '',
        regions: () => [],
        caps: () => [],
      },
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
      // The loop, but for its own timers.
      scheduler: Object.assign(Object.create(twin.loop) as Loop, { timers: twin.timers }),
      system: twin.createSystem(isKillDeaf),
      names: {
        *list(prefix: string) {
          yield;
          const names = twin.domains.filter(({ name }) => name.startsWith(prefix));
          return names.map(({ core, id, name }) => ({
            name,
            interfaceName: name,
            core,
            domainId: id,
          }));
        },
      },
    };
    return os as unknown as ShellOs;
  }

  private createSystem(isKillDeaf = false): TwinSystem {
    return { ...this.machineCalls(), ...this.listings(), ...this.domainCalls(isKillDeaf) };
  }

  private domainCalls(isKillDeaf: boolean): TwinSystem {
    const twin = this;
    return {
      *spawn({ core = twin.ownCore, program, args, environment }) {
        yield* twin.dawdle();
        const start = Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program] : undefined;
        if (start === undefined) throw new OsError(Err.SPAWN_ERR_NO_PROGRAM);
        const id = twin.addDomain(program, core);
        twin.heldCount += 1;
        const { shows, end, after } = start([program, ...args], environment);
        if (shows !== undefined) yield* twin.terminal.write({ text: shows });
        if (end !== undefined && after === undefined) twin.finish(core, id, end);
        else if (end !== undefined) twin.after(after ?? 0, () => twin.finish(core, id, end));
        yield* twin.dawdle();
        return { core, id, domain: domainCap(core, id) };
      },
      *wait({ domain }) {
        const found = twin.find(domain.cptr);
        yield* twin.bell.until(() => found.end !== undefined);
        yield* twin.dawdle();
        return { end: found.end ?? exited(0) };
      },
      *kill({ domain }) {
        const { core, id, end } = twin.find(domain.cptr);
        twin.log.push(`kill ${core === 0 ? '' : `${core}.`}${id}`);
        yield* twin.dawdle();
        if (end !== undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
        if (!isKillDeaf) twin.finish(core, id, { how: 'killed', value: 0, report: '' });
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
      *domainOf({ core = twin.ownCore, id }) {
        yield;
        twin.heldCount += 1;
        return { domain: domainCap(core, id) };
      },
      *inspectorOf({ domain }) {
        yield;
        twin.log.push(`inspect ${domain.cptr}`);
        return { iref: 1 };
      },
    };
  }

  private listings(): TwinSystem {
    const twin = this;
    return {
      *list({ core = twin.ownCore }) {
        yield* twin.dawdle();
        yield* twin.reach(core);
        const there = twin.domains.filter((domain) => domain.core === core);
        return { domains: there.map((domain) => ({ ...domain })) };
      },
      *coreStatus({ core = twin.ownCore }) {
        yield* twin.reach(core);
        const domainCount = twin.domains.filter((domain) => domain.core === core).length;
        const memory = { totalBytes: 2 ** 24, freeBytes: 2 ** 23 };
        return { status: { arch: 'x86_64', scheduler: 'rr', domainCount, ...memory, links: [] } };
      },
      *channels({ core = twin.ownCore, from }) {
        yield* twin.reach(core);
        return { channels: CHANNELS.filter((each) => each.on === core && each.channel >= from) };
      },
    };
  }

  private machineCalls(): TwinSystem {
    const twin = this;
    function* order(what: string, core: number): Wait<{ generation: number }> {
      yield* twin.reach(core);
      twin.log.push(`${what} ${core}`);
      return { generation: 2 };
    }
    return {
      startCore: ({ core }) => order('start', core),
      stopCore: ({ core }) => order('stop', core),
      replaceCore: ({ core }) => order('replace', core),
      *cores() {
        yield;
        return { cores: [...twin.cores] };
      },
      *programs() {
        yield;
        return { names: Object.keys(PROGRAMS) };
      },
      *machine() {
        yield;
        const runningCount = twin.cores.filter(({ state }) => state === 'running').length;
        return { ...MACHINE, coreCount: twin.cores.length, runningCount };
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

  /** Nobody answers for cores that are silent. */
  private *reach(core: number): Wait<void> {
    yield;
    while (this.silentCores.includes(core)) yield* this.bell.until(() => false);
  }

  private addDomain(name: string, core = this.ownCore): number {
    const id = this.domains.filter((domain) => domain.core === core).length + 1;
    const quotaBytes = 2 ** 20;
    const state = 'running' as const;
    const info = { core, id, parent: 0, name, state, usedBytes: 4096, quotaBytes };
    this.domains.push({ ...info, end: undefined });
    return id;
  }

  private find(cptr: number): TwinDomain {
    const found = this.domains.find(({ core, id }) => domainCap(core, id).cptr === cptr);
    if (found === undefined) throw new OsError(Err.SPAWN_ERR_NO_DOMAIN);
    return found;
  }

  private finish(core: number, id: number, end: DomainEnd): void {
    const domain = this.find(domainCap(core, id).cptr);
    domain.end ??= end;
    domain.state = 'ended';
    this.bell.ring();
  }

  private *dawdle(): Wait<void> {
    if (this.isSlow) for (let i = 0; i < 3; i++) yield;
  }
}

/** The twin's capability of a domain: its address says which. */
function domainCap(core: number, id: number): Capref<'Domain'> {
  return { ...capref<'Domain'>(0, 0), cptr: (core * MAX_DOMAINS + id) as Capref['cptr'] };
}
