/** What a spanning domain asks its monitor for. */

import type { SystemClient } from '../interfaces/system.ts';
import type { Services } from '../services.ts';
import type { SpanHost } from './spanning.ts';

export function spanHost(system: SystemClient, { far }: Pick<Services, 'far'>): SpanHost {
  return {
    *open(request) {
      return (yield* system.span(request)).bell;
    },
    *close(core) {
      yield* system.unspan({ core });
    },
    *awaitLeft(core) {
      yield* system.awaitLeft({ core });
    },
    *invalidate(va, pageCount, how) {
      yield* system.shootDown({ va, pageCount, how });
    },
    poller: () => far.ready(),
  };
}
