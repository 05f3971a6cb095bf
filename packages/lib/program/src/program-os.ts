/**
 * What a program of a booted system sees: `Os`, and beside it the rest of the system.
 *
 * A subclass, against the habit here: what programs are written with is one thing, whose lower half
 * is used alone by the first domain and by tests.
 */

import { assert } from '@barreleye/core';
import {
  type Capref,
  capref,
  type Dispatcher,
  Os,
  type SlotAllocator,
  TASK_INIT_EP,
  type Wait,
} from '@barreleye/libos';
import { connect } from '@barreleye/lmp';
import type { TableShape } from '@barreleye/paging';
import { bindClient } from '@barreleye/rpc';
import { type CapTypeName, RootSlot } from '@barreleye/spec';
import { readArguments } from './arguments.ts';
import { Connections } from './connections.ts';
import { BACKGROUND, Console, type LineInput, pieces } from './console.ts';
import { DomainMemory } from './domain-memory.ts';
import { Inspector } from './interfaces/inspector.ts';
import { MAX_REPORT_BYTES, System, type SystemClient } from './interfaces/system.ts';
import { Names } from './names.ts';
import { selfInspection } from './self-inspection.ts';
import { Services } from './services.ts';
import { spanHost } from './span/host.ts';
import { Spanning } from './span/spanning.ts';

/** The machine that a program is linked for. */
export interface Platform {
  /** Page tables of the core's architecture. */
  readonly paging: TableShape;
}

/** What there is once init has been reached. */
interface Found {
  readonly system: SystemClient;
  readonly memory: DomainMemory;
  readonly connections: Connections;
  readonly services: Services;
  readonly spanning: Spanning;
  readonly names: Names;
  readonly console: Console;
}

export class ProgramOs extends Os {
  /** The first is the name of the program. */
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  private readonly platform: Platform;
  private found: Found | undefined;
  private isEnding: boolean;

  constructor(
    dispatcher: Dispatcher,
    slots: SlotAllocator,
    { platform, argPage }: { readonly platform: Platform; readonly argPage: number },
  ) {
    super(dispatcher, slots);
    const { args, environment } = readArguments(dispatcher.cpu, argPage);
    this.args = args;
    this.environment = environment;
    this.platform = platform;
    this.found = undefined;
    this.isEnding = false;
  }

  /** init. */
  get system(): SystemClient {
    return this.reached.system;
  }

  get memory(): DomainMemory {
    return this.reached.memory;
  }

  /** Whom this domain has channels with: `connect` and `accept` take its `watch`. */
  get connections(): Connections {
    return this.reached.connections;
  }

  /** Services of this core and others, by reference. */
  get services(): Services {
    return this.reached.services;
  }

  /** This domain on other cores. */
  get spanning(): Spanning {
    return this.reached.spanning;
  }

  get names(): Names {
    return this.reached.names;
  }

  get console(): Console {
    return this.reached.console;
  }

  /** Show text at the terminal. */
  *print(text: string): Wait<void> {
    yield* this.console.print(text);
  }

  /** Show a line. */
  *printLine(text: string): Wait<void> {
    yield* this.console.print(`${text}\n`);
  }

  /** Ask for a line at the terminal. */
  *readLine(prompt: string): Wait<LineInput> {
    return yield* this.console.readLine(prompt);
  }

  /** The `i`-th capability that whoever started this domain has given to it. */
  argCap<T extends CapTypeName>(i: number): Capref<T> {
    return capref(RootSlot.ArgCn, i);
  }

  /** End the domain. */
  *exit(value: number): Wait<never> {
    if (this.beginsToEnd()) yield* this.system.exit({ value: value | 0 });
    for (;;) yield* this.sleep(Number.MAX_SAFE_INTEGER / 2);
  }

  /** End the domain because of something that it cannot get over, and have that reported. */
  *fail(report: string): Wait<never> {
    const [text = ''] = pieces(report, MAX_REPORT_BYTES);
    if (this.beginsToEnd()) yield* this.system.fail({ report: text });
    for (;;) yield* this.sleep(Number.MAX_SAFE_INTEGER / 2);
  }

  /** `fail`, from where nothing can wait. */
  failSoon(report: string): void {
    this.spawnThread('reports a failure', this.fail(report), { isDaemon: true });
  }

  /** Reach init; before that there is nothing of what this class adds to `Os`. */
  *start(): Wait<void> {
    const channel = yield* connect(this, TASK_INIT_EP);
    const system = yield* bindClient(this.scheduler, channel, System);
    const memory = new DomainMemory(this, this.platform.paging, system);
    const connections = new Connections(this, system);
    const services = new Services({ os: this, memory, connections, system });
    const names = new Names(this, services);
    const console = new Console(this, names, this.environment.has(BACKGROUND));
    const host = spanHost(system, services);
    const spanning = new Spanning(this, memory, host, (report) => this.failSoon(report));
    this.found = { system, memory, connections, services, spanning, names, console };
    const listener = services.listen();
    const body = services.acceptAll(listener, Inspector, selfInspection(this, memory.vspace));
    this.spawnThread('answers questions', body, { isDaemon: true });
    yield* system.offerInspector({ endpoint: listener.cap });
  }

  private get reached(): Found {
    assert(this.found !== undefined, 'init has not been reached yet');
    return this.found;
  }

  /** False: the domain is on its way out already. */
  private beginsToEnd(): boolean {
    const isFirst = !this.isEnding;
    this.isEnding = true;
    return isFirst;
  }
}
