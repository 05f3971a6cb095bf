/** The machine, as far as init knows it. */

import { KernelCap, TASK_KERNEL, unwrap } from '@barreleye/libos';
import { COUNTERS, describeError, SCHEDULER_NAMES } from '@barreleye/spec';
import type { Init } from '../main.ts';
import { checkAuthority, type SystemHandlers } from './handler.ts';

/** Characters of the reason why a core does not run; all of them are ASCII. */
const MAX_WHY = 256;

export function machineHandlers({
  os,
  boot,
  monitor,
}: Init): Pick<
  SystemHandlers,
  'machine' | 'cores' | 'startCore' | 'stopCore' | 'replaceCore' | 'awaitCores' | 'counters'
> {
  const { coreId, coreCount, frequency, ramBytes } = boot;
  const { peers } = monitor;
  const kernel = new KernelCap(os.sys, TASK_KERNEL);
  return {
    machine: () => {
      const scheduler = SCHEDULER_NAMES[unwrap(kernel.scheduler())];
      const runningCount = peers.all().filter(({ state }) => state === 'running').length;
      return { coreId, coreCount, runningCount, frequency, ramBytes, scheduler };
    },
    cores: () => ({
      cores: peers.all().map(({ core, state, err }) => {
        return { core, state, why: state === 'failed' ? describeError(err).slice(0, MAX_WHY) : '' };
      }),
    }),
    *startCore({ core, authority }) {
      checkAuthority(os, authority);
      yield* monitor.control.start(core);
      return {};
    },
    *stopCore({ core, authority }) {
      checkAuthority(os, authority);
      yield* monitor.control.stop(core);
      return {};
    },
    *replaceCore({ core, authority }) {
      checkAuthority(os, authority);
      return { generation: yield* monitor.replaceDriver(core) };
    },
    *awaitCores() {
      yield* peers.settled();
      return {};
    },
    counters: () => ({ values: COUNTERS.map((_, i) => unwrap(kernel.counter(i))) }),
  };
}
