/** The program `shell`: what commands work with, put together. */

import {
  type Capref,
  capIdentify,
  formatWaits,
  TASK_DOMAIN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import {
  capsFrom,
  Inspector,
  type ProgramOs,
  program,
  regionsOf,
  threadsOf,
} from '@barreleye/program';
import { bindClient } from '@barreleye/rpc';
import { COMMANDS } from './command-list.ts';
import { Commands } from './commands.ts';
import { Foreground } from './foreground.ts';
import { createPower } from './power.ts';
import { runShell } from './run-shell.ts';
import { Screen } from './screen.ts';
import { Session } from './session.ts';
import type { InspectorLink, OwnDomain } from './shell.ts';

/** Which of its argument capabilities gives the shell power over all domains. */
const AUTHORITY_CAP = 1;
/** The name of the service that lines come from. */
const TERMINAL = 'terminal';

export const shell = program('shell', function* (os) {
  const own = ownDomain(os);
  const terminal = yield* os.console.terminal();
  const services = yield* os.names.list(TERMINAL);
  const served = services.filter(({ name }) => name === TERMINAL);
  return yield* runShell({
    os,
    terminal,
    own,
    lifelines: [own, ...served.map(({ core, domainId }) => ({ core, id: domainId }))],
    authority: givenAuthority(os),
    power: yield* createPower(os),
    screen: new Screen((text) => os.print(text)),
    session: new Session(os.environment),
    foreground: new Foreground(os.scheduler),
    commands: new Commands(COMMANDS),
    connectInspector: (iref) => connectInspector(os, iref),
  });
});

/** The authority over all domains, if this shell was given it. */
function givenAuthority(os: ProgramOs): Capref<'ProcessManager'> | undefined {
  const authority = os.argCap<'ProcessManager'>(AUTHORITY_CAP);
  const held = capIdentify(os.sys, authority);
  return held.ok && held.value.type === 'ProcessManager' ? authority : undefined;
}

function ownDomain(os: ProgramOs): OwnDomain {
  return {
    core: os.coreId,
    id: unwrap(capIdentify(os.sys, TASK_DOMAIN)).arg1,
    threads: () => threadsOf(os),
    waits: () => formatWaits(os.reportWaits()),
    regions: () => regionsOf(os.memory.vspace),
    caps: () => capsFrom(os, 0, Number.POSITIVE_INFINITY),
  };
}

function* connectInspector(os: ProgramOs, iref: number): Wait<InspectorLink> {
  const channel = yield* os.services.connect(iref);
  return {
    bind: () => bindClient(os.scheduler, channel, Inspector),
    close: () => channel.close(),
  };
}
