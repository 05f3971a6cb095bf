/**
 * A core in a thread of its own: runs it, turn by turn, from its first kernel entry to its end.
 *
 * Its clock is never behind that of the host, which is read between turns and after each sleep. It
 * may be ahead, when a program has spent more cycles than the host has had time for. A core that
 * sleeps until its timer really does so.
 */

import { assert } from '@barreleye/core';
import {
  attachDevices,
  type Bus,
  type Core,
  CoreMode,
  CoreUnit,
  createBus,
} from '@barreleye/machine';
import { DeviceClass } from '@barreleye/spec';
import { ConsoleLine } from './console-line.ts';
import { ControlBlock } from './control-block.ts';
import type { CoreSetup } from './core-setup.ts';
import { HostClock } from './host-clock.ts';
import { type CoreJob, errorText } from './messages.ts';
import type { SharedCore } from './shared-core.ts';
import type { MainThread } from './threads.ts';

/**
 * Looks before an idle core sleeps, at 40 ns: about as long as it takes to be woken. Where that was
 * in vain, the next time it is half of it, because whoever looks may keep the one from running that
 * would have something to say; now and then it tries again.
 */
const MAX_LOOKS = 1000;
const RESTS_UNTIL_TRIAL = 64;

class CoreRunner {
  private readonly job: CoreJob;
  private readonly setup: CoreSetup;
  private readonly main: MainThread;
  private readonly clock: HostClock;
  private readonly shared: SharedCore;
  private readonly unit: CoreUnit;
  /** There if the core has the serial port. */
  private readonly line: ConsoleLine | undefined;
  private readonly hasWork: () => boolean;
  private hasBegun: boolean;
  private looks: number;
  private restCount: number;

  constructor(job: CoreJob, setup: CoreSetup, main: MainThread) {
    const { board } = setup;
    const control = new ControlBlock(job.control, job.coreCount);
    const bus = createBus(board, job.ramBytes, job.memory);
    const shared = control.cores[job.coreId];
    assert(shared !== undefined, 'a core has a line in the control block');
    this.job = job;
    this.setup = setup;
    this.main = main;
    this.clock = new HostClock(board.frequency, job.epochMs);
    this.shared = shared;
    this.unit = this.createUnit(bus, control);
    this.line = this.attachDevices(bus, control);
    this.hasBegun = false;
    this.looks = MAX_LOOKS;
    this.restCount = 0;
    this.hasWork = () => shared.hasPending() || this.line?.hasInput === true;
  }

  /** Run the core until it is off. @returns whether it may be started anew */
  run(): boolean {
    const { main, shared, unit } = this;
    shared.wake();
    try {
      if (this.powerOn()) {
        this.hasBegun = true;
        this.runOn(unit.core);
      }
    } catch (error) {
      this.line?.flush();
      main.post({ kind: 'failed', error: errorText(error) });
    }
    const isOff = unit.core.mode === CoreMode.Off && this.hasBegun;
    if (isOff) shared.switchOff();
    else shared.halt();
    return isOff;
  }

  /** False: the core does not come up. */
  private powerOn(): boolean {
    const { job, setup, unit, main } = this;
    if (unit.start(setup.firmware, job.page, job.startCycles)) return true;
    const reason = unit.core.failure ?? 'the firmware makes no sense of what it was given';
    main.post({ kind: 'lost', error: errorText(reason) });
    return false;
  }

  private runOn(core: Core): void {
    const { clock, line, shared, unit } = this;
    for (;;) {
      if (core.failure !== undefined) throw core.failure;
      if (core.mode !== CoreMode.User && core.mode !== CoreMode.Idle) return;
      core.cycles = Math.max(core.cycles, clock.now());
      shared.cycles = core.cycles;
      line?.pump();
      if (core.mode === CoreMode.User || core.hasInterrupt()) unit.turn();
      else this.rest(core);
    }
  }

  /** Wait for an interrupt: look for a while, then sleep. */
  private rest(core: Core): void {
    const { clock, shared, hasWork } = this;
    const start = clock.now();
    if (this.look()) return;
    const restCycles = core.timerDeadline - core.cycles - (clock.now() - start);
    shared.sleep(hasWork, Math.max(0, clock.msOf(restCycles)));
    core.cycles += clock.now() - start;
  }

  /** Look for something to do, as long as experience says. @returns whether there is something */
  private look(): boolean {
    this.restCount += 1;
    if (this.restCount % RESTS_UNTIL_TRIAL === 0) this.looks = MAX_LOOKS;
    for (let left = this.looks; left > 0; left--) {
      if (!this.hasWork()) continue;
      this.looks = MAX_LOOKS;
      return true;
    }
    this.looks >>= 1;
    return false;
  }

  private createUnit(bus: Bus, control: ControlBlock): CoreUnit {
    const { job, setup, main } = this;
    const unit: CoreUnit = new CoreUnit(job.coreId, bus, setup, {
      pending: this.shared.pending,
      raiseOn: (target, line) => control.cores[target]?.raise(line),
      startCore: (target, page) => {
        const other = control.cores[target];
        if (other === undefined || !setup.accepts(bus.mem, target, page)) return false;
        if (!other.claim()) return false;
        main.post({ kind: 'start', core: target, page, at: unit.core.cycles });
        return true;
      },
      isOff: (target) => control.cores[target]?.isOff ?? true,
      replaceDriver: setup.loadDriver,
      report: ({ program, error }) =>
        main.post({ kind: 'broken', program, error: errorText(error) }),
    });
    return unit;
  }

  /** The power switch is on every core's bus, all other devices on that of the bootstrap core. */
  private attachDevices(bus: Bus, control: ControlBlock): ConsoleLine | undefined {
    const { job, setup, main, unit } = this;
    const wires = {
      raise: (line: number) => unit.core.raise(line),
      turnOff: (exitCode: number) => {
        this.line?.flush();
        main.post({ kind: 'off', exitCode });
        unit.core.powerOff();
      },
    };
    const isBsp = job.coreId === 0;
    const console = attachDevices(bus, setup.board, wires, ({ class: kind }) =>
      isBsp ? true : kind === DeviceClass.Power,
    );
    return console && new ConsoleLine(console, control.input, main);
  }
}

/**
 * For the thread of a core: become the core that the main thread says, and run it to its end. A
 * core that was switched off may become one again.
 * @param setupFor what the cores are like, from what the app has said when it made the machine
 */
export function runCore(main: MainThread, setupFor: (app: unknown) => CoreSetup): void {
  main.onJob((job) => {
    try {
      if (new CoreRunner(job, setupFor(job.app), main).run()) return;
    } catch (error) {
      main.post({ kind: 'failed', error: errorText(error) });
    }
    main.close();
  });
  main.post({ kind: 'loaded' });
}
