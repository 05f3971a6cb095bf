/**
 * Workers: domains, on any cores, that serve whoever has started them. The first argument of a
 * worker is a reference to its starter, at which it connects. So it needs no name, and it ends when
 * its starter does.
 */

import { OsError, type Wait } from '@barreleye/libos';
import type { ProgramOs } from '@barreleye/program';
import {
  Bell,
  bindClient,
  type Client,
  type Handlers,
  type Interface,
  type Methods,
  serve,
  type Transport,
} from '@barreleye/rpc';

/** Memory that a worker may use; what it may use counts as its starter's. */
const QUOTA_BYTES = 2 ** 20;

/** A worker, as its starter has it. */
export interface Worker<M extends Methods> {
  /** What it can be asked. */
  readonly client: Client<M>;
  /** Let it end, and wait until it has. */
  end(): Wait<void>;
}

/** Start `program` as a worker on a core. */
export function* startWorker<M extends Methods>(
  os: ProgramOs,
  core: number,
  program: string,
  speaks: Interface<M>,
): Wait<Worker<M>> {
  const news = new Bell(os.scheduler, `the worker on core ${core}`);
  let client: Client<M> | undefined;
  let channel: Transport | undefined;
  let hasEnded = false;
  const listener = os.services.listen();
  const { iref } = yield* os.system.export({ endpoint: listener.cap });
  const meet = os.services.acceptEach(listener, program, function* (accepted) {
    channel = accepted;
    client = yield* bindClient(os.scheduler, accepted, speaks);
    news.ring();
  });
  os.spawnThread(`listens to core ${core}`, meet, { isDaemon: true });
  const args = [String(iref)];
  const wish = { core, program, args, environment: [], quotaBytes: QUOTA_BYTES, caps: [] };
  const { domain } = yield* os.system.spawn(wish);
  function* noticeEnd(): Wait<void> {
    yield* os.system.wait({ domain });
    hasEnded = true;
    news.ring();
  }
  os.spawnThread(`watches core ${core}`, noticeEnd(), { isDaemon: true });
  yield* news.until(() => client !== undefined || hasEnded);
  if (client === undefined) throw new Error(`the worker on core ${core} has ended`);
  return {
    client,
    *end() {
      channel?.close();
      yield* news.until(() => hasEnded);
    },
  };
}

/** What a worker does: it serves its starter until that ends. @returns its exit value */
export function* work<M extends Methods>(
  os: ProgramOs,
  speaks: Interface<M>,
  handlers: Handlers<M>,
): Wait<number> {
  const [name, iref = ''] = os.args;
  try {
    const channel = yield* os.services.connect(Number.parseInt(iref, 10) >>> 0);
    yield* serve(os.scheduler, channel, speaks, handlers);
    return 0;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    yield* os.printLine(`${name}: nobody has started it who wants it to work`);
    return 2;
  }
}

/** The numbers of the cores that run; that of the own core is the last. */
export function* runningCores(os: ProgramOs): Wait<number[]> {
  const { cores } = yield* os.system.cores({});
  const running = cores.filter(({ state }) => state === 'running').map(({ core }) => core);
  return [...running.filter((core) => core !== os.coreId), os.coreId];
}
