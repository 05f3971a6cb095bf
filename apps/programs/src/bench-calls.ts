/** What `bench` measures calls of. */

import { bytes, call, defineInterface } from '@barreleye/rpc';

/** Bytes of the longer call. */
export const BODY_BYTES = 1024;

export const BenchCalls = defineInterface('benchCalls', {
  null: call({}, {}),
  body: call({ body: bytes(BODY_BYTES) }, {}),
});
