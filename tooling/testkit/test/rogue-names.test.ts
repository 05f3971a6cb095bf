/** The name service of a whole system, and domains that mean it ill. Then they are killed. */

import { type Capref, capref, type Wait } from '@barreleye/libos';
import { connect, type LmpChannel, LmpListener } from '@barreleye/lmp';
import {
  type AppProgram,
  capPlace,
  Inspector,
  NameService,
  type ProgramOs,
  program,
} from '@barreleye/program';
import { bindClient, type Client, RpcError } from '@barreleye/rpc';
import { RootSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { runSystem, TARGETS } from '../src/index.ts';

type Names = Client<typeof NameService.methods>;

/** A binding to the name service of one's own. */
function* openNames(os: ProgramOs): Wait<readonly [Names, LmpChannel]> {
  const { endpoint } = yield* os.system.bind(yield* os.system.nameService({}));
  try {
    const channel = yield* connect(os, endpoint, { watch: os.connections.watch });
    return [yield* bindClient(os.scheduler, channel, NameService), channel];
  } finally {
    os.drop(endpoint);
  }
}

/** Start `step` and care for nothing that becomes of it. */
function* ignore(step: Wait<unknown>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
}

/** Takes and awaits all the names that it can get, for services that are and are not its own. */
const grabber = program('grabber', function* (os) {
  const { iref } = yield* os.system.export({ endpoint: os.services.listen().cap });
  for (let i = 0; i < 2; i++) {
    const [names] = yield* openNames(os);
    for (let j = 0; j < 70; j++) {
      const name = `grabbed/${os.args[1]}/${i}/${j}`;
      const register = { name, interfaceName: 'x', iref };
      yield* ignore(names.register(register));
      yield* ignore(names.register({ ...register, iref: iref + 1000 }));
      yield* ignore(names.register({ ...register, iref: 2 ** 32 - j }));
      os.spawnThread('waits', ignore(names.waitFor({ name: `never/${j}` })), { isDaemon: true });
    }
  }
  yield* os.sleep(1e15);
});

/** Connects as often as it can, says nonsense, and does not listen to any answer. */
const babbler = program('babbler', function* (os) {
  const { endpoint } = yield* os.system.bind(yield* os.system.nameService({}));
  const frame: Capref = capref(RootSlot.TaskCn, 1);
  for (let i = 0; ; i++) {
    let channel: LmpChannel;
    try {
      channel = yield* connect(os, endpoint);
    } catch {
      break;
    }
    for (let j = 0; j < 20; j++) {
      const words = Uint32Array.from({ length: 1 + (j % 4) }, (_, at) => (i * j * 77 + at) >>> 0);
      channel.trySend(words, words.length, j % 3 === 0 ? frame : undefined, false);
      yield* os.giveWay();
    }
  }
  yield* os.sleep(1e15);
});

/** Connects as often as it can, and then sits there. */
const sitter = program('sitter', function* (os) {
  const { endpoint } = yield* os.system.bind(yield* os.system.nameService({}));
  try {
    for (;;) {
      yield* connect(os, endpoint);
      yield* os.memory.spare();
    }
  } catch {
    yield* os.sleep(1e15);
  }
});

/** Capabilities that domain `id` has. */
function* countCaps(os: ProgramOs, id: number): Wait<number> {
  const authority = os.argCap<'ProcessManager'>(1);
  const { domain } = yield* os.system.domainOf({ id, authority });
  const channel = yield* os.services.connect((yield* os.system.inspectorOf({ domain })).iref);
  const inspector = yield* bindClient(os.scheduler, channel, Inspector);
  let count = 0;
  for (let from = 0; ; ) {
    const { caps } = yield* inspector.caps({ from });
    const last = caps.at(-1);
    if (last === undefined) break;
    count += caps.length;
    from = capPlace(last.cptr, last.level) + 1;
  }
  channel.close();
  os.drop(domain);
  yield* os.sleep(1e6);
  return count;
}

/** What anybody else wants of the name service, and gets. */
function* useNames(os: ProgramOs): Wait<void> {
  const [names, channel] = yield* openNames(os);
  const listener = new LmpListener(os);
  const { iref } = yield* os.system.export({ endpoint: listener.cap });
  yield* names.register({ name: 'mine', interfaceName: 'x', iref });
  expect((yield* names.lookup({ name: 'mine' })).iref).toBe(iref);
  channel.close();
  yield* os.system.withdraw({ iref });
  listener.close();
  yield* os.sleep(1e6);
}

/** Start rogues and let them rage, while others use the name service; then kill them. */
function* suffer(os: ProgramOs, rogues: readonly AppProgram[]): Wait<void> {
  const started: Capref<'Domain'>[] = [];
  for (const [i, { name }] of rogues.entries()) {
    const request = { program: name, args: [`${i}`], environment: [], caps: [] };
    started.push((yield* os.system.spawn(request)).domain);
  }
  for (let i = 0; i < 2; i++) {
    yield* os.sleep(1e6);
    yield* useNames(os);
  }
  for (const domain of started) {
    yield* os.system.kill({ domain });
    yield* os.system.wait({ domain });
    os.drop(domain);
  }
  yield* os.sleep(1e6);
}

test('names are listed that do not fit one answer', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const main = function* (os: ProgramOs): Wait<void> {
    for (let i = 0; i < 3; i++) {
      const request = { program: 'grabber', args: [`${i}`], environment: [], caps: [] };
      yield* os.system.spawn(request);
    }
    let names: string[] = [];
    while (names.length < 3 * 2 * 64) {
      yield* os.sleep(1e6);
      names = (yield* os.names.list('grabbed/')).map(({ name }) => name);
    }
    expect(names).toEqual([...new Set(names)].sort());
  };
  runSystem(target, ({ os }) => main(os), { ramBytes: 64 * 2 ** 20, others: [grabber] });
});

describe.each(TARGETS)('the name service on $name', (target) => {
  test('serves others beside rogues, and keeps nothing of them', () => {
    const rogues = [grabber, grabber, babbler, sitter, sitter];
    const main = function* (os: ProgramOs): Wait<void> {
      const { domains } = yield* os.system.list({});
      const id = domains.find(({ name }) => name === 'nameservice')?.id ?? 0;
      const counts: number[] = [];
      for (let round = 0; round < 3; round++) {
        yield* suffer(os, rogues);
        const names = yield* os.names.list('');
        expect(names.map(({ name }) => name)).toEqual(['terminal']);
        counts.push(yield* countCaps(os, id));
      }
      // In the first round it may grow: slots, and memory for them.
      expect(counts[2]).toBe(counts[1]);
    };
    const programs = [...new Set(rogues)];
    runSystem(target, ({ os }) => main(os), { ramBytes: 64 * 2 ** 20, others: programs });
  });
});
