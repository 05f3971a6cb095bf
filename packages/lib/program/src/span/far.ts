/**
 * A far dispatcher: it runs threads that its home starts, and has their page faults served there.
 * What a thread dies of ends the whole domain, as it does at home.
 */

import { asErrval } from '@barreleye/core';
import {
  type Capref,
  capref,
  irqConnect,
  type Os,
  OsError,
  type Thread,
  type Wait,
} from '@barreleye/libos';
import { bindClient, type Client, type Handlers, serve } from '@barreleye/rpc';
import { Err, RootSlot, SpanSlot } from '@barreleye/spec';
import { createRungPoller } from '@barreleye/ump';
import { BELL_RING_WORDS, openChannels } from './channels.ts';
import { FarService, HomeService, MAX_WAITING_CALLS, shortReport } from './interfaces.ts';

/**
 * What can be started far from home. It sees the memory of its domain and the threads of its own
 * dispatcher; its value is a number of 32 bits.
 */
export type FarFunction = (os: Os, args: readonly number[]) => Wait<unknown>;

/** By name. */
export type FarFunctions = Readonly<Record<string, FarFunction>>;

const LINE: Capref<'IRQDest'> = capref(RootSlot.ArgCn, SpanSlot.Line);
const HOME_BELL: Capref<'Notify_IPI'> = capref(RootSlot.ArgCn, SpanSlot.Home);

type Home = Client<(typeof HomeService)['methods']>;

/** The main thread of a far dispatcher: serve the home until that closes. */
export function* runFar(os: Os, page: number, functions: FarFunctions): Wait<void> {
  const bell = os.createEndpoint(BELL_RING_WORDS);
  os.check(irqConnect(os.sys, LINE, bell.cap));
  const poller = createRungPoller(os, bell.buffer);
  const { outgoing, incoming } = openChannels(os, page, 'far', poller, HOME_BELL);
  const home = yield* bindClient(os.scheduler, outgoing, HomeService);
  os.onPageFault(function* ({ address, access }) {
    const { err } = yield* home.serveFault({ address, access });
    return asErrval(err);
  });
  const handlers = farHandlers(os, home, functions);
  yield* serve(os.scheduler, incoming, FarService, handlers, {
    maxActive: MAX_WAITING_CALLS,
  });
}

function farHandlers(
  os: Os,
  home: Home,
  functions: FarFunctions,
): Handlers<(typeof FarService)['methods']> {
  const threads = new Map<number, Thread>();
  let startCount = 0;
  return {
    start({ name, args }) {
      const body = Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (body === undefined) throw new OsError(Err.LIB_ERR_NO_FUNCTION);
      startCount += 1;
      threads.set(startCount, os.spawnThread(name, run(os, home, name, body(os, args))));
      return { thread: startCount };
    },
    *join({ thread }) {
      const found = threads.get(thread);
      if (found === undefined) throw new OsError(Err.LIB_ERR_THREAD_DETACHED);
      threads.delete(thread);
      const value = yield* os.join(found);
      return { value: typeof value === 'number' ? value | 0 : 0 };
    },
  };
}

/** A thread that does not die: it tells the home, which ends all of the domain. */
function* run(os: Os, home: Home, name: string, body: Wait<unknown>): Wait<unknown> {
  try {
    return yield* body;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    yield* home.failed({ report: shortReport(`thread ${name} on core ${os.coreId}: ${why}`) });
    for (;;) yield* os.sleep(Number.MAX_SAFE_INTEGER / 2);
  }
}
