/** Domains that die of themselves: the kernel reports them, and what is left of them goes. */

import {
  describeDeath,
  KernelCap,
  type Os,
  parseDeathReport,
  TASK_KERNEL,
  type Wait,
} from '@barreleye/libos';
import type { Domains } from './domains.ts';

/** Words of the endpoint; the kernel keeps what does not fit. */
const RING_WORDS = 64;

/** Have deaths reported from now on; the thread that this returns serves the reports. */
export function watchDeaths(os: Os, domains: Domains): Wait<never> {
  const endpoint = os.createEndpoint(RING_WORDS);
  os.check(new KernelCap(os.sys, TASK_KERNEL).register(endpoint.cap));
  return serve();

  function* serve(): Wait<never> {
    for (;;) {
      const { words } = yield* os.receive(endpoint.buffer);
      const report = parseDeathReport(words);
      if (report === undefined) continue;
      const found = domains.find(report.domainId);
      if (!found.ok || found.value === domains.root) continue;
      domains.end(found.value, { how: 'faulted', value: 0, report: describeDeath(report) });
    }
  }
}
