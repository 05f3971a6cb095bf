/** What the shell needs of its domain. A `ProgramOs` has all of it, and more. */

import type { TimerQueue, Wait } from '@barreleye/libos';
import type { NameInfo, ProgramOs } from '@barreleye/program';
import type { Threads } from '@barreleye/rpc';

export interface ShellOs
  extends Pick<ProgramOs, 'args' | 'environment' | 'system' | 'memory'>,
    Pick<ProgramOs, 'arch' | 'sys' | 'now' | 'sleep' | 'preempt'>,
    Pick<ProgramOs, 'load32' | 'store32'>,
    Pick<ProgramOs, 'slots' | 'allocSlot' | 'check' | 'take' | 'drop'> {
  readonly names: { list(prefix: string): Wait<readonly NameInfo[]> };
  readonly scheduler: Threads & { readonly timers: Pick<TimerQueue, 'set' | 'cancel'> };
  spawnThread(name: string, body: Wait<unknown>, options: { readonly isDaemon: boolean }): object;
}
