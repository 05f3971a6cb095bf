/** Words to other monitors, which may be no more when they are said. */

import { type Os, OsError, type Wait } from '@barreleye/libos';
import type { MonitorOf, RemoteMonitor } from './intermon.ts';

/** Have the monitor of `core` told, by a thread of its own, if it is there. Nobody waits. */
export function tell(
  os: Os,
  monitorOf: MonitorOf,
  core: number,
  say: (monitor: RemoteMonitor) => Wait<void>,
): void {
  const monitor = monitorOf(core);
  if (monitor.ok) os.spawnThread(`tells core ${core}`, ignoreErrors(say(monitor.value)));
}

/** Ask the monitor of `core`. @returns what it answers; undefined: the core is no more */
export function* ask<T>(
  monitorOf: MonitorOf,
  core: number,
  say: (monitor: RemoteMonitor) => Wait<T>,
): Wait<T | undefined> {
  const monitor = monitorOf(core);
  if (!monitor.ok) return undefined;
  try {
    return yield* say(monitor.value);
  } catch (error) {
    if (!(error instanceof OsError) || monitorOf(core).ok) throw error;
    return undefined;
  }
}

/** A core that ends meanwhile need not be told. */
function* ignoreErrors(step: Wait<void>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
  }
}
