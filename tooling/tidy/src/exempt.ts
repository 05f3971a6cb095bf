/**
 * Every exemption from a tidy rule, by name and with its reason. There is no other way to be
 * exempt: no comments in code switch a rule off.
 */
export interface Exemption {
  readonly rule: string;
  /** A file, or a folder if it ends in a slash. */
  readonly path: string;
  readonly why: string;
}

const PARALLEL_HOST = 'packages/machine/machine-threads/';

export const EXEMPTIONS: readonly Exemption[] = [
  {
    rule: 'host-free',
    path: PARALLEL_HOST,
    why: 'it is a host: it waits for threads, and reads the clock',
  },
  {
    rule: 'shell',
    path: `${PARALLEL_HOST}tsconfig.json`,
    why: 'it needs the types of the host, as apps do',
  },
];
