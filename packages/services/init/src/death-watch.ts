/** Domains that die of themselves: the kernel reports them, and what is left of them goes. */

import {
  type DeathReport,
  describeDeath,
  KernelCap,
  parseDeathReport,
  TASK_KERNEL,
  type Wait,
} from '@barreleye/libos';
import type { Init } from './main.ts';

/** Words of the endpoint; the kernel keeps what does not fit. */
const RING_WORDS = 64;

/** What there is to know of who has died. */
type Watched = Pick<Init, 'os' | 'boot' | 'domains' | 'monitor'>;

/** Have deaths reported from now on; the thread that this returns serves the reports. */
export function watchDeaths({ os, boot, domains, monitor }: Watched): Wait<never> {
  const endpoint = os.createEndpoint(RING_WORDS);
  os.check(new KernelCap(os.sys, TASK_KERNEL).register(endpoint.cap));
  return serve();

  function* serve(): Wait<never> {
    for (;;) {
      const { words } = yield* os.receive(endpoint.buffer);
      const report = parseDeathReport(words);
      if (report === undefined) continue;
      if (report.domainCore !== boot.coreId) {
        monitor.farDied(report.domainCore, report.domainId, describeFar(boot.coreId, report));
        continue;
      }
      const found = domains.find(report.domainId);
      if (!found.ok || found.value === domains.root) continue;
      domains.end(found.value, { how: 'faulted', value: 0, report: describeDeath(report) });
    }
  }
}

/** How the death of a far dispatcher is told to its home. */
function describeFar(core: number, report: DeathReport): string {
  return `on core ${core}: ${describeDeath(report)}`;
}
