/** Programs to run, to read and to begin with, a file each. */

import type { AppProgram } from '@barreleye/program';
import { bench } from './bench.ts';
import { benchWorker } from './bench-worker.ts';
import { count } from './count.ts';
import { crash } from './crash.ts';
import { deadlock } from './deadlock.ts';
import { echoClient } from './echo-client.ts';
import { echoServer } from './echo-server.ts';
import { hello } from './hello.ts';
import { hog } from './hog.ts';
import { pingPong } from './ping-pong.ts';
import { pong } from './pong.ts';
import { primes } from './primes.ts';
import { primesWorker } from './primes-worker.ts';
import { producers } from './producers.ts';
import { spanPrimes } from './span-primes.ts';

/** All of them, to be linked for a machine. */
export const programs: readonly AppProgram[] = [
  hello,
  echoServer,
  echoClient,
  pingPong,
  pong,
  producers,
  deadlock,
  count,
  crash,
  hog,
  primes,
  primesWorker,
  spanPrimes,
  bench,
  benchWorker,
];
