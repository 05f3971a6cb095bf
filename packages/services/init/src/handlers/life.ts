/** The life of the caller, and of those whom it starts. */

import { type Capref, type Os, OsError, unwrap, type Wait } from '@barreleye/libos';
import { type CopyableTypeName, Err } from '@barreleye/spec';
import type { Domain } from '../domain.ts';
import { KILLED } from '../domains.ts';
import type { Init } from '../main.ts';
import { lend, type SystemHandlers } from './handler.ts';

/** Names of programs that a listing shows. */
const MAX_LISTED = 256;

type SpawnArgs = Parameters<SystemHandlers['spawn']>[0];
type SpawnReply = { domain: Capref<'Domain'>; core: number; id: number };

export function lifeHandlers(
  init: Init,
  self: Domain,
): Pick<SystemHandlers, 'spawn' | 'exit' | 'fail' | 'programs'> {
  const { domains, programs, boot } = init;
  return {
    spawn(args) {
      const isHere = args.core === undefined || args.core === boot.coreId;
      return isHere ? spawnHere(init, self, args) : spawnThere(init, self, args);
    },
    exit({ value }) {
      domains.end(self, { how: 'exited', value, report: '' });
      return {};
    },
    fail({ report }) {
      domains.end(self, { how: 'faulted', value: 0, report });
      return {};
    },
    programs: () => ({ names: [...programs.keys()].slice(0, MAX_LISTED) }),
  };
}

function spawnHere({ domains, programs, os, boot }: Init, self: Domain, wish: SpawnArgs) {
  const { program: name, args, environment, quotaBytes, caps } = wish;
  try {
    const program = programs.get(name);
    if (program === undefined) throw new OsError(Err.SPAWN_ERR_NO_PROGRAM);
    const given = caps as readonly Capref[] as readonly Capref<CopyableTypeName>[];
    const all = [name, ...(args.length === 0 ? program.args : args)];
    const request = { program, args: all, environment, caps: given, quotaBytes };
    const started = unwrap(domains.start(self, request));
    try {
      return { domain: lend(os, started.cap), core: boot.coreId, id: started.id };
    } catch (error) {
      domains.end(started, KILLED);
      throw error;
    }
  } finally {
    dropAll(os, caps);
  }
}

function* spawnThere(
  { remote, os, monitor }: Init,
  self: Domain,
  wish: SpawnArgs,
): Wait<SpawnReply> {
  const { core = 0, program, args, environment, quotaBytes, caps } = wish;
  dropAll(os, caps);
  if (caps.length > 0) throw new OsError(Err.MON_ERR_CAPS);
  const id = yield* remote.start(self, { core, program, args, environment, quotaBytes });
  try {
    return { domain: unwrap(remote.capOf(core, id)), core, id };
  } catch (error) {
    yield* monitor.of(core).kill({ id });
    throw error;
  }
}

function dropAll(os: Os, caps: readonly Capref[]): void {
  for (const cap of caps) os.drop(cap);
}
