/** What init answers a domain: the handlers of `System`. Capabilities that come are dropped. */

import type { Domain } from '../domain.ts';
import type { Init } from '../main.ts';
import { domainHandlers } from './domains.ts';
import type { SystemHandlers } from './handler.ts';
import { lifeHandlers } from './life.ts';
import { machineHandlers } from './machine.ts';
import { memoryHandlers } from './memory.ts';
import { serviceHandlers } from './services.ts';
import { spanHandlers } from './spans.ts';

/** The handlers for `self`. */
export function systemHandlers(init: Init, self: Domain): SystemHandlers {
  return {
    ...memoryHandlers(init, self),
    ...lifeHandlers(init, self),
    ...domainHandlers(init, self),
    ...serviceHandlers(init, self),
    ...spanHandlers(init, self),
    ...machineHandlers(init),
  };
}
