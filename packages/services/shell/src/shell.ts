/** A shell: what commands work with. */

import type { Capref, Wait } from '@barreleye/libos';
import type { CapInfo, Inspector, RegionInfo, Terminal, ThreadInfo } from '@barreleye/program';
import type { Client } from '@barreleye/rpc';
import type { DomainAddress } from './address.ts';
import type { Commands } from './commands.ts';
import type { Foreground } from './foreground.ts';
import type { Screen } from './screen.ts';
import type { Session } from './session.ts';
import type { ShellOs } from './shell-os.ts';

/** The terminal as its clients see it. */
export type TerminalClient = Client<(typeof Terminal)['methods']>;

/** The power switch of the machine. */
export interface Power {
  /** Turn the machine off; the host reports `exitCode`, 0 to 255. */
  off(exitCode: number): void;
}

/** A domain that answers questions about itself. */
export interface InspectorLink {
  bind(): Wait<Client<(typeof Inspector)['methods']>>;
  /** No more questions; those that wait for an answer fail. */
  close(): void;
}

/** What the shell can see of its own domain without asking. */
export interface OwnDomain extends DomainAddress {
  threads(): readonly ThreadInfo[];
  /** Which threads wait for each other, in words. */
  waits(): string;
  regions(): readonly RegionInfo[];
  caps(): readonly CapInfo[];
}

export interface Shell {
  readonly os: ShellOs;
  readonly terminal: TerminalClient;
  readonly screen: Screen;
  readonly session: Session;
  readonly foreground: Foreground;
  readonly commands: Commands;
  readonly own: OwnDomain;
  /** Domains without which nothing can be typed. */
  readonly lifelines: readonly DomainAddress[];
  /** The shell of the system has it: power over domains that it has not started. */
  readonly authority: Capref<'ProcessManager'> | undefined;
  /** The shell of the system has it: its end is that of the machine. */
  readonly power: Power | undefined;
  /** Ask a domain at the endpoint where it answers, which is taken over. May wait for ever. */
  connectInspector(iref: number): Wait<InspectorLink>;
}
