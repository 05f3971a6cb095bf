/** The cores of the machine, and what there is on all that run. */

import type { Wait } from '@barreleye/libos';
import type { CoreInfo, DomainInfo } from '@barreleye/program';
import { UsageError } from './command.ts';
import { askAll, type Outcome } from './deadline.ts';
import { explain } from './explain.ts';
import type { Shell } from './shell.ts';

/** States of a core as reasons why something cannot be. */
const STATES = {
  off: 'does not run',
  starting: 'is just starting',
  running: 'runs already',
  stopping: 'is being stopped',
  failed: 'has failed',
} as const;

/** What the core that was asked has said, or why it has said nothing. */
export interface Said<T> {
  readonly core: number;
  readonly outcome: Outcome<T>;
}

/** What can be asked of the system about one core. */
type CoreQuestion<T> = (core: number) => Wait<T>;

/** What is known of all cores. */
export function* coresOf({ os }: Shell): Wait<readonly CoreInfo[]> {
  const { cores } = yield* os.system.cores({});
  return cores;
}

/** Ask all cores that run, at the same time; what they say, by core. Silence is no error. */
export function* askCores<T>(shell: Shell, question: CoreQuestion<T>): Wait<Said<T>[]> {
  const { own } = shell;
  const running = (yield* coresOf(shell)).filter(({ state }) => state === 'running');
  const others = running.map(({ core }) => core).filter((core) => core !== own.core);
  const outcomes = yield* askAll(
    shell,
    // 'it': whoever shows the outcome says of which core.
    others.map((core) => ({ whom: 'it', question: question(core) })),
  );
  const said = others.flatMap((core, i): Said<T>[] => {
    const outcome = outcomes[i];
    return outcome === undefined ? [] : [{ core, outcome }];
  });
  said.push({ core: own.core, outcome: { kind: 'value', value: yield* question(own.core) } });
  return said.sort((a, b) => a.core - b.core);
}

/** What all cores have said that have answered. */
export function answers<T>(said: readonly Said<T>[]): T[] {
  return said.flatMap(({ outcome }) => (outcome.kind === 'value' ? [outcome.value] : []));
}

/** Show why some cores have said nothing. */
export function showSilent<T>({ screen }: Shell, said: readonly Said<T>[]): void {
  for (const { core, outcome } of said) {
    if (outcome.kind === 'value') continue;
    screen.printLine(`core ${core} is left out: ${explain(outcome.error)}`);
  }
}

/** The domains of all cores that answer, by core. */
export function* allDomains(shell: Shell): Wait<readonly DomainInfo[]> {
  return answers(yield* askCores(shell, (core) => domainsOf(shell, core))).flat();
}

/** The domains of one core. */
export function* domainsOf({ os }: Shell, core: number): Wait<readonly DomainInfo[]> {
  const { domains } = yield* os.system.list({ core });
  return domains;
}

/** Throw UsageError unless the core is in one of these states. */
export function* checkState(
  shell: Shell,
  core: number,
  states: readonly CoreInfo['state'][],
): Wait<void> {
  const found = (yield* coresOf(shell)).find((each) => each.core === core);
  if (found === undefined) throw new UsageError(`there is no core ${core}; 'cores' lists them`);
  if (states.includes(found.state)) return;
  const why = found.why === '' ? '' : `: ${found.why}`;
  throw new UsageError(`core ${core} ${STATES[found.state]}${why}`);
}

/** The number of a core. Throws UsageError; whether there is such a core is another question. */
export function parseCore(text: string): number {
  if (/^[0-9]+$/.test(text)) return Number(text);
  throw new UsageError(`'${text}' is not the number of a core; 'cores' lists them`);
}
