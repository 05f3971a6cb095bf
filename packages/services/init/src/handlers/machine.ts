/** The machine, as far as init knows it. */

import { KernelCap, TASK_KERNEL, unwrap } from '@barreleye/libos';
import { COUNTERS, describeError, SCHEDULER_NAMES } from '@barreleye/spec';
import type { Init } from '../main.ts';
import { checkAuthority, type SystemHandlers } from './handler.ts';

/** Characters of the reason why a core does not run; all of them are ASCII. */
const MAX_WHY = 256;

type Names =
  | 'machine'
  | 'cores'
  | 'startCore'
  | 'stopCore'
  | 'replaceCore'
  | 'awaitCores'
  | 'coreStatus'
  | 'channels'
  | 'counters';

export function machineHandlers({ os, boot, monitor }: Init): Pick<SystemHandlers, Names> {
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
    *coreStatus({ core = coreId }) {
      if (core !== coreId) return yield* monitor.of(core).status({});
      return { status: monitor.status() };
    },
    *channels({ core = coreId, from }) {
      if (core !== coreId) return yield* monitor.of(core).channels({ from });
      return { channels: monitor.channels.list(from) };
    },
    counters: () => ({ values: COUNTERS.map((_, i) => unwrap(kernel.counter(i))) }),
  };
}
