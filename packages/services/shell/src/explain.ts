/** What a person is told of an error. */

import { errPop, errTop, isOk } from '@barreleye/core';
import { OsError } from '@barreleye/libos';
import { RpcError } from '@barreleye/rpc';
import { describeError, Err } from '@barreleye/spec';

/** An error in words. That it came over a channel is left out: who has said it is clear enough. */
export function explain(error: unknown): string {
  if (!(error instanceof OsError)) return error instanceof Error ? error.message : String(error);
  const { errval } = error;
  let inner = errval;
  while (errTop(inner) === Err.RPC_ERR_REMOTE) inner = errPop(inner);
  const more = error instanceof RpcError && error.remoteMessage !== '';
  const text = describeError(isOk(inner) ? errval : inner);
  return more ? `${text}: ${error.remoteMessage}` : text;
}
