/**
 * Jobs: programs that this shell has started and whose ends it still has to tell. Numbers are for
 * people: `%2` is the job that is shown as `[2]`.
 */

import type { Capref } from '@barreleye/libos';
import type { DomainEnd } from '@barreleye/program';
import { type DomainAddress, isSameDomain } from './address.ts';

/** A program that was started. */
export interface Job extends DomainAddress {
  /** 0 while it runs in the foreground. */
  number: number;
  /** The name of the program. */
  readonly name: string;
  /** As it was typed. */
  readonly text: string;
  /** Its domain. */
  readonly domain: Capref<'Domain'>;
  /** How it has ended. */
  end: DomainEnd | undefined;
}

export class Jobs {
  /** In the order of their numbers. */
  private readonly list: Job[];

  constructor() {
    this.list = [];
  }

  /** All jobs in the background, also those that have ended but were not told of. */
  all(): readonly Job[] {
    return this.list;
  }

  /** Those that have not ended. */
  running(): Job[] {
    return this.list.filter(({ end }) => end === undefined);
  }

  /** Put a job into the background: it gets the number behind the highest. */
  add(job: Job): void {
    job.number = (this.list.at(-1)?.number ?? 0) + 1;
    this.list.push(job);
  }

  byNumber(number: number): Job | undefined {
    return this.list.find((job) => job.number === number);
  }

  /** The job with this domain. */
  byDomain(address: DomainAddress): Job | undefined {
    return this.list.find((job) => isSameDomain(job, address));
  }

  /** Take out all jobs that have ended. */
  takeEnded(): Job[] {
    const ended = this.list.filter(({ end }) => end !== undefined);
    const left = this.running();
    this.list.splice(0, this.list.length, ...left);
    return ended;
  }
}

/** What a person is told of the end of a domain: the first line follows its name. */
export function describeEnd({ how, value, report }: DomainEnd): string {
  switch (how) {
    case 'exited':
      return `exited with ${value}`;
    case 'killed':
      return 'was killed';
    default:
      return `died: ${report.trimEnd().replaceAll('\n', '\n    ')}`;
  }
}

/** The status that a command has by the end of the program that it ran. */
export function statusOf({ how, value }: DomainEnd): number {
  switch (how) {
    case 'exited':
      return value;
    case 'killed':
      return Status.Killed;
    default:
      return Status.Died;
  }
}

/** Statuses that mean something. Source: POSIX.1-2024, 2.8.2, and what shells make of signals. */
export const Status = {
  Ok: 0,
  Failed: 1,
  Usage: 2, //       the command makes no sense
  NoCommand: 127, // there is no such command or program
  Interrupted: 130,
  Killed: 137,
  Died: 139, //      of a fault
} as const;
