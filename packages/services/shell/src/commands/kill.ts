/** `kill`, `suspend` and `resume`: what becomes of a domain. */

import type { Capref, Wait } from '@barreleye/libos';
import { isSameDomain } from '../address.ts';
import { type Command, UsageError } from '../command.ts';
import { describeDomain, findDomain, findJob, withDomain } from '../domains.ts';
import { InterruptError } from '../foreground.ts';
import type { Job } from '../jobs.ts';
import { kill as killJob, tellEnds } from '../programs.ts';
import type { Shell } from '../shell.ts';

export const kill: Command = {
  name: 'kill',
  usage: '<domain|%job>...',
  group: 'Domains',
  summary: 'end domains, whatever they are doing',
  details: [
    'Their memory, capabilities and names come back to the system. A domain is named by',
    "its number, which is '2.3' for domain 3 of core 2, or by a name that no other has.",
  ],
  example: 'kill %1',
  argCount: [1, Number.POSITIVE_INFINITY],
  argKinds: ['domain'],
  *run(shell, args) {
    for (const text of args) {
      const job = findJob(shell, text);
      if (job !== undefined) yield* killAndTell(shell, job);
      else yield* apply(shell, text, 'was killed', (domain) => shell.os.system.kill({ domain }));
    }
    return 0;
  },
};

export const suspend: Command = {
  name: 'suspend',
  usage: '<domain|%job>...',
  group: 'Domains',
  summary: "stop domains until 'resume'",
  details: ['Whoever waits for a suspended domain goes on waiting.'],
  example: 'suspend %1',
  argCount: [1, Number.POSITIVE_INFINITY],
  argKinds: ['domain'],
  *run(shell, args) {
    for (const text of args) {
      const found = yield* findDomain(shell, text);
      const isLifeline = shell.lifelines.some((each) => isSameDomain(each, found));
      if (isLifeline) throw new UsageError("nobody could type 'resume' then");
      yield* apply(shell, text, 'is suspended', (domain) => shell.os.system.suspend({ domain }));
    }
    return 0;
  },
};

export const resume: Command = {
  name: 'resume',
  usage: '<domain|%job>...',
  group: 'Domains',
  summary: 'let suspended domains go on',
  details: [],
  example: 'resume %1',
  argCount: [1, Number.POSITIVE_INFINITY],
  argKinds: ['domain'],
  *run(shell, args) {
    for (const text of args) {
      yield* apply(shell, text, 'goes on', (domain) => shell.os.system.resume({ domain }));
    }
    return 0;
  },
};

/** Kill a job; its end is told of before anything else. */
function* killAndTell(shell: Shell, job: Job): Wait<void> {
  yield* killJob(shell, job);
  if (!(yield* shell.foreground.until(() => job.end !== undefined))) {
    throw new InterruptError('interrupted');
  }
  yield* shell.screen.flush();
  yield* tellEnds(shell);
}

/** Do something to the domain that `text` names, and say so. */
function* apply(
  shell: Shell,
  text: string,
  done: string,
  use: (domain: Capref<'Domain'>) => Wait<unknown>,
): Wait<void> {
  const info = yield* findDomain(shell, text);
  yield* withDomain(shell, info, use);
  shell.screen.printLine(`${describeDomain(shell, info)} ${done}`);
}
