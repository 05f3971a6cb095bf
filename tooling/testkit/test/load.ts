/** The service of acceptance test 30, and its clients. */

import { type Os, Semaphore, type Wait, Waitset } from '@barreleye/libos';
import { array, type Client, call, defineInterface, type Handlers, u32 } from '@barreleye/rpc';

/** Threads of a server, and of a client. */
export const THREADS = 10;

export const Load = defineInterface('load', {
  next: call({ words: array(u32, 512) }, { words: array(u32, 512) }),
});
type LoadMethods = typeof Load.methods;

/** Handlers that have threads at one waitset do the work; how often each of them did. */
export function startServers(os: Os, served: number[]): Handlers<LoadMethods> {
  const waitset = new Waitset(os, 'calls');
  function* work(i: number): Wait<void> {
    for (;;) {
      yield* waitset.dispatch();
      served[i] = (served[i] ?? 0) + 1;
    }
  }
  for (let i = 0; i < THREADS; i++) {
    os.scheduler.create(`server ${i}`, work(i), { isDaemon: true });
  }
  return {
    *next({ words }) {
      const done = new Semaphore(os, 'an answer', 0);
      let answer: number[] = [];
      waitset.post(function* () {
        yield* os.giveWay();
        answer = words.map((word, i) => (word + i) >>> 0);
        done.post();
      });
      yield* done.take();
      return { words: answer };
    },
  };
}

/** `count` calls of 1 to 512 words, each answered by what belongs to it. */
export function* callOften(server: Client<LoadMethods>, seed: number, count: number): Wait<number> {
  let matched = 0;
  for (let i = 0; i < count; i++) {
    const length = 1 + ((seed * 131 + i * 97) % 512);
    const words = Array.from({ length }, (_, at) => (seed * 0x1000_0000 + i * 512 + at) >>> 0);
    const answer = (yield* server.next({ words })).words;
    const isRight = (word: number, at: number): boolean => answer[at] === (word + at) >>> 0;
    if (answer.length === length && words.every(isRight)) matched += 1;
  }
  return matched;
}
