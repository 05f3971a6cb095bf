/**
 * Typed calls between two threads over queues in memory: what marshalling, fragments and replies
 * cost without a kernel. Beside it `structuredClone`, which is how a host copies the same arguments
 * and results between two of its own sides, without any call.
 */
import type { Wait } from '@barreleye/libos';
import { bindClient, type Client, call, defineInterface, serve, string, u32 } from '@barreleye/rpc';
import { Loop, memoryPair } from '@barreleye/rpc/testing';
import type { Bench, Trial } from '../bench.ts';

const CALLS = 200;
/** Messages of an x86_64 channel. */
const MESSAGE_WORDS = 10;

const Echo = defineInterface('echo', {
  next: call({ n: u32 }, { n: u32 }),
  echo: call({ text: string(4096) }, { text: string(4096) }),
});
type Echoes = Client<typeof Echo.methods>;

const TEXT = 'some text, '.repeat(23).slice(0, 256);

export const benches: readonly Bench[] = [
  bench('call with a number', { n: 1 }, (echo) => echo.next({ n: 1 })),
  bench('call with 256 bytes of text', { text: TEXT }, (echo) => echo.echo({ text: TEXT })),
];

function bench(name: string, args: object, one: (echo: Echoes) => Wait<object>): Bench {
  const baselineName = 'structuredClone, twice';
  return { name, unit: 'us/op', baselineName, setup: () => setup(args, one) };
}

function setup(args: object, one: (echo: Echoes) => Wait<object>): Trial {
  const loop = new Loop();
  const [here, there] = memoryPair(MESSAGE_WORDS, 8);
  const handlers = {
    next: ({ n }: { readonly n: number }) => ({ n }),
    echo: ({ text }: { readonly text: string }) => ({ text }),
  };
  loop.create('server', serve(loop, there, Echo, handlers));
  const state: { caller: object | undefined } = { caller: undefined };
  loop.create('client', callForEver(loop, state, bindClient(loop, here, Echo), one));
  loop.run();
  const last: { copy: object } = { copy: {} };
  return {
    operations: CALLS,
    subject: () => {
      if (state.caller === undefined) throw new Error('the client has ended');
      loop.wake(state.caller);
      loop.run();
    },
    baseline: () => {
      for (let i = 0; i < CALLS; i++) last.copy = structuredClone(structuredClone(args));
    },
  };
}

/** A client that makes `CALLS` calls whenever it is woken. */
function* callForEver(
  loop: Loop,
  state: { caller: object | undefined },
  bind: Wait<Echoes>,
  one: (echo: Echoes) => Wait<object>,
): Wait<void> {
  const echo = yield* bind;
  state.caller = loop.running;
  for (;;) {
    loop.block({ label: 'the next round', holder: undefined });
    yield;
    for (let i = 0; i < CALLS; i++) yield* one(echo);
  }
}
