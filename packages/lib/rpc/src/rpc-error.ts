/** What calls throw. */

import type { Errval } from '@barreleye/core';
import { OsError } from '@barreleye/libos';

/** A call that failed, here or at the other side. */
export class RpcError extends OsError {
  override readonly name: string = 'RpcError';
  /** What the handler said beyond the codes; empty for nothing. */
  readonly remoteMessage: string;

  constructor(errval: Errval, remoteMessage = '') {
    super(errval);
    this.remoteMessage = remoteMessage;
    if (remoteMessage !== '') this.message += `: ${remoteMessage}`;
  }
}
