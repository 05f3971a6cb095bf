/** What the inits of cores ask each other. */

import { MAX_NAME_BYTES } from '@barreleye/program';
import { call, defineInterface, type Handlers, string, u32 } from '@barreleye/rpc';
import type { Init } from './main.ts';

export const CoreService = defineInterface('core', {
  /** The first words of a core that has come up. */
  hello: call({ core: u32 }, { core: u32, arch: string(MAX_NAME_BYTES) }),
});

/** The handlers for another core. */
export function coreHandlers(init: Init): Handlers<(typeof CoreService)['methods']> {
  const { os, boot } = init;
  return {
    hello: () => ({ core: boot.coreId, arch: os.arch.name }),
  };
}
