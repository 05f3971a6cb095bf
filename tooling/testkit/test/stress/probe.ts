/** Tells what there is on its core: parts of init and the kernel, which are in the same heap. */

import { type CpuDriver, checkInvariants } from '@barreleye/cpu-driver';
import type { Init } from '@barreleye/init/testing';
import { program } from '@barreleye/program';
import { call, defineInterface, string } from '@barreleye/rpc';
import { coreInventory } from '../../src/index.ts';

export const Probe = defineInterface('probe', {
  /** An inventory, as JSON. */
  inventory: call({}, { text: string(30_000) }),
});

/** What of a system is in this heap, by number of the core. */
export interface Insides {
  readonly inits: Map<number, Init>;
  readonly kernels: Map<number, CpuDriver['kernel']>;
}

/** The probe of a core that is in this heap. */
export const createProbe = ({ inits, kernels }: Insides) =>
  program('probe', function* (os) {
    const { coreId } = os;
    const [init, kernel] = [inits.get(coreId), kernels.get(coreId)];
    if (init === undefined || kernel === undefined) throw new Error('looks at the wrong heap');
    yield* os.names.serve(`probe/${coreId}`, Probe, {
      *inventory() {
        yield* os.preempt();
        const inventory = { ...coreInventory(init, kernel), broken: checkInvariants(kernel) };
        return { text: JSON.stringify(inventory) };
      },
    });
  });
