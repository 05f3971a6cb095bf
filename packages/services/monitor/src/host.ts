/** What a monitor is given by the first domain, in which it runs. */

import type { Os, RamSource, Wait } from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import type { DomainEnd, DomainInfo } from '@barreleye/program';
import type { BootView } from './boot-info.ts';

/** A program to start for another core. */
export interface RemoteSpawn {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: readonly string[];
  readonly quotaBytes: number;
}

/** What the first domain does for other cores. Its methods throw OsError. */
export interface LocalDomains {
  /** @returns the number of the domain, whose end `tell` hears */
  spawn(request: RemoteSpawn, tell: (id: number, end: DomainEnd) => void): Wait<number>;
  kill(id: number): void;
  setSuspended(id: number, isSuspended: boolean): void;
  list(): readonly DomainInfo[];
  /** All RAM that it manages, and what of that is free. */
  ram(): { readonly totalBytes: number; readonly freeBytes: number };
  /** The service reference of its inspector. */
  inspectorOf(id: number): number;
  /**
   * End all domains but the first, and start none from now on; wait until they are gone.
   * @returns the number of the last
   */
  endAll(): Wait<number>;
  /** Tell how the domain ends, at once if it has. */
  watch(id: number, tell: (end: DomainEnd) => void): void;
  /** A far dispatcher of the domain has died, and the domain is to end. */
  farDied(id: number, report: string): void;
}

export interface MonitorHost {
  readonly os: Os;
  readonly boot: BootView;
  readonly vspace: Vspace;
  /** Where the memory of other cores comes from. */
  readonly account: RamSource & { readonly leftBytes: number };
  readonly domains: LocalDomains;
  /** The name service, if it is known. */
  readonly nameService: () => number | undefined;
  readonly nameServiceAt: (iref: number) => void;
}
