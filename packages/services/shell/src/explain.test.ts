/** Errors in words. */

import { errPush } from '@barreleye/core';
import { OsError } from '@barreleye/libos';
import { RpcError } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import { expect, it } from 'vitest';
import { explain } from './explain.ts';

const QUOTA = "the domain has used up its quota of memory; 'ps' shows quotas (INIT_ERR_QUOTA)";

it.each<[string, unknown, string]>([
  ['an error of a call', new RpcError(errPush(Err.INIT_ERR_QUOTA, Err.RPC_ERR_REMOTE)), QUOTA],
  [
    'what a core has said to another',
    new RpcError([Err.RPC_ERR_REMOTE, Err.RPC_ERR_REMOTE].reduce(errPush, Err.INIT_ERR_QUOTA)),
    QUOTA,
  ],
  ['the same here', new OsError(Err.INIT_ERR_QUOTA), QUOTA],
  [
    'what else the other side says',
    new RpcError(errPush(Err.INIT_ERR_QUOTA, Err.RPC_ERR_REMOTE), 'no luck'),
    `${QUOTA}: no luck`,
  ],
  [
    'nothing but that a call has failed',
    new RpcError(Err.RPC_ERR_REMOTE),
    'the other side did not serve the call (RPC_ERR_REMOTE)',
  ],
  ['any other error', new Error('no luck'), 'no luck'],
  ['what is no error', 'no luck', 'no luck'],
])('%s', (_, error, text) => {
  expect(explain(error)).toBe(text);
});
