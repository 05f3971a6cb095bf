/** Those whom hostile domains of other cores must not stop. */

import { type Capref, OsError, PageFaultError, type Wait } from '@barreleye/libos';
import { NameService, type ProgramOs, program } from '@barreleye/program';
import {
  bindClient,
  bytes,
  type Client,
  call,
  defineInterface,
  type Interface,
  type Methods,
  u32,
} from '@barreleye/rpc';
import { expect } from 'vitest';
import type { Tester } from '../../src/index.ts';

export const CORES = 2;
export const A_WHILE = 300_000;
const QUOTA_BYTES = 4 * 2 ** 20;
/** How long everybody else may take to go on, in cycles. */
const PATIENCE_CYCLES = 1e8;

type NamesClient = Client<typeof NameService.methods>;

export const Echo = defineInterface('echo', {
  again: call({ body: bytes(3000) }, { body: bytes(3000) }),
});
const Relay = defineInterface('relay', { ask: call({ core: u32 }, {}) });

/** Serves, as all honest domains do. */
export const echo = program('echo', function* (os) {
  yield* os.names.serve(`echo/${os.coreId}`, Echo, { again: ({ body }) => ({ body }) });
});

/** Calls the services of other cores for whoever wants to know whether that works. */
export const relay = program('relay', function* (os) {
  yield* os.names.serve(`relay/${os.coreId}`, Relay, {
    *ask({ core }) {
      yield* askEcho(os, core);
      return {};
    },
  });
});

/** Calls the hostile domain, whatever comes of it. */
export const victim = program('victim', function* (os) {
  for (let i = 0; ; i++) {
    yield* ignore(callEvil(os, i));
    yield* os.sleep(20_000);
  }
});

function* callEvil(os: ProgramOs, length: number): Wait<void> {
  yield* useService(os, 'evil', Echo, function* (client) {
    for (let i = 0; i < 3; i++) yield* client.again({ body: new Uint8Array(length % 3000) });
  });
}

/** A new channel to a service, which is closed again. */
function* useService<M extends Methods>(
  os: ProgramOs,
  name: string,
  to: Interface<M>,
  use: (client: Client<M>) => Wait<void>,
): Wait<void> {
  const { iref } = yield* (yield* namesOf(os)).lookup({ name });
  const transport = yield* os.services.connect(iref);
  try {
    yield* use(yield* bindClient(os.scheduler, transport, to));
  } finally {
    transport.close();
  }
}

/** Call the service of a core. */
function* askEcho(os: ProgramOs, core: number): Wait<void> {
  const body = Uint8Array.from({ length: 3000 }, (_, i) => i * 3);
  yield* useService(os, `echo/${core}`, Echo, function* (client) {
    expect((yield* client.again({ body })).body).toEqual(body);
  });
}

/** Ends at once. */
export const brief = program('brief', function* (os) {
  yield* os.preempt();
  return os.coreId + 1;
});

/** Each domain has one binding with the name service. */
const namesByOs = new WeakMap<ProgramOs, NamesClient>();

function* namesOf(os: ProgramOs): Wait<NamesClient> {
  const { iref } = yield* os.system.nameService({});
  const names = namesByOs.get(os) ?? (yield* os.services.bind(iref, NameService));
  namesByOs.set(os, names);
  return names;
}

/** Do `step`, whatever comes of it. */
export function* ignore(step: Wait<unknown>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError || error instanceof PageFaultError)) throw error;
  }
}

/** Stay until somebody kills it. */
export function* stay(os: ProgramOs): Wait<never> {
  for (;;) yield* os.sleep(1e12);
}

export function* start(os: ProgramOs, core: number, name: string) {
  const wish = { core, program: name, args: [], environment: [], caps: [] };
  return yield* os.system.spawn({ ...wish, quotaBytes: QUOTA_BYTES });
}

export function* end(os: ProgramOs, domain: Capref<'Domain'>): Wait<string> {
  yield* ignore(os.system.kill({ domain }));
  const { end } = yield* os.system.wait({ domain });
  os.drop(domain);
  return `${end.how} ${end.report}`;
}

/** Everybody else can do what they always could, on both cores and across. */
export function* expectOthersGoOn({ os, init }: Tester): Wait<void> {
  function* all(): Wait<boolean> {
    for (let core = 0; core < CORES; core++) {
      yield* askEcho(os, core);
      yield* useService(os, `relay/${core}`, Relay, function* (there) {
        for (let to = 0; to < CORES; to++) yield* there.ask({ core: to });
      });
      const { domain } = yield* start(os, core, 'brief');
      expect((yield* os.system.wait({ domain })).end.value).toBe(core + 1);
      os.drop(domain);
      expect((yield* os.system.list({ core })).domains.length).toBeGreaterThan(0);
    }
    return true;
  }
  const thread = os.spawnThread('others', all());
  const limit = os.now() + PATIENCE_CYCLES;
  while (thread.outcome === undefined) {
    if (os.now() > limit) throw new Error(`others do not go on on core ${init.boot.coreId}`);
    yield* os.sleep(A_WHILE);
  }
  yield* os.join(thread);
}
