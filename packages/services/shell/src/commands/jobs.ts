/** `jobs` and `wait`: programs in the background. */

import type { Wait } from '@barreleye/libos';
import type { DomainEnd } from '@barreleye/program';
import { formatAddress, isSameDomain } from '../address.ts';
import { allDomains } from '../all-cores.ts';
import type { Command } from '../command.ts';
import { awaitForeground } from '../deadline.ts';
import { describeDomain, findDomain, findJob, withDomain } from '../domains.ts';
import { InterruptError } from '../foreground.ts';
import { describeEnd, type Job, statusOf } from '../jobs.ts';
import { tellEnds } from '../programs.ts';
import type { Shell } from '../shell.ts';
import { formatTable } from '../table.ts';

export const jobs: Command = {
  name: 'jobs',
  usage: '',
  group: 'Programs',
  summary: 'list what this shell runs in the background',
  details: ["A job is named by its number, as in 'kill %1'."],
  example: 'jobs',
  argCount: [0, 0],
  argKinds: [],
  *run(shell) {
    const { session, screen, own } = shell;
    const domains = yield* allDomains(shell);
    const rows = session.jobs.all().map((job) => {
      const found = domains.find((domain) => isSameDomain(domain, job));
      const state = job.end === undefined ? (found?.state ?? 'running') : 'ended';
      return [`%${job.number}`, formatAddress(own.core, job), state, job.text];
    });
    if (rows.length === 0) screen.printLine("no jobs; '&' at the end of a command makes one");
    else for (const line of formatTable(JOB_COLUMNS, rows)) screen.printLine(line);
    return 0;
  },
};

const JOB_COLUMNS = [
  { heading: 'job', align: 'left' },
  { heading: 'domain', align: 'right' },
  { heading: 'state', align: 'left' },
  { heading: 'command', align: 'left' },
] as const;

export const wait: Command = {
  name: 'wait',
  usage: '[domain|%job]',
  group: 'Programs',
  summary: 'wait for the end of a domain, or of all jobs',
  details: ['The status is that of the domain. Ctrl-C ends the waiting, not the domain.'],
  example: 'hello & ; wait %1',
  argCount: [0, 1],
  argKinds: ['domain', 'nothing'],
  *run(shell, [text]) {
    if (text === undefined) {
      yield* awaitJobs(shell, shell.session.jobs.all());
      return 0;
    }
    const job = findJob(shell, text);
    const end = job === undefined ? yield* awaitDomain(shell, text) : yield* awaitJob(shell, job);
    return end === undefined ? 0 : statusOf(end);
  },
};

function* awaitJob(shell: Shell, job: Job): Wait<DomainEnd | undefined> {
  yield* awaitJobs(shell, [job]);
  return job.end;
}

/** Wait for jobs, and tell of their ends. */
function* awaitJobs(shell: Shell, awaited: readonly Job[]): Wait<void> {
  const list = [...awaited];
  const hasEnded = yield* shell.foreground.until(() => list.every((job) => job.end !== undefined));
  yield* shell.screen.flush();
  yield* tellEnds(shell);
  if (!hasEnded) throw new InterruptError('interrupted');
}

/** Wait for a domain that this shell has not started. */
function* awaitDomain(shell: Shell, text: string): Wait<DomainEnd> {
  const info = yield* findDomain(shell, text);
  const whom = describeDomain(shell, info);
  const step = withDomain(shell, info, (domain) => shell.os.system.wait({ domain }));
  const { end } = yield* awaitForeground(shell, whom, step);
  shell.screen.printLine(`${whom} ${describeEnd(end)}`);
  return end;
}
