/**
 * Making a domain out of a program image. Everything it lives by is made of the spawner's memory
 * and handed over in its CSpace: well-known CNodes, page tables, dispatcher. A spawn that fails at
 * any step leaves nothing behind.
 * Source: Barrelfish lib/spawndomain, in its order.
 */

import { type Errval, errPush, fail, isOk, OK, type Result, succeed } from '@barreleye/core';
import { type Capref, dispatcherSetup, firstState } from '@barreleye/libos';
import { capAddrOf, Err, RootSlot, TaskSlot } from '@barreleye/spec';
import { argsPageWords } from './args-page.ts';
import { fillCspace } from './cspace.ts';
import { makeObjects, type Objects } from './objects.ts';
import { mustUndo, Parts } from './parts.ts';
import type { Spawner, SpawnRequest } from './request.ts';

/** A domain that runs. */
export interface SpawnedDomain {
  readonly name: string;
  readonly dispatcher: Capref<'Dispatcher'>;
  /** The root of its CSpace. */
  readonly rootCn: Capref<'L1CNode'>;
  /**
   * End it, whatever it is doing, and take its memory back.
   * @errors LIB_ERR_SPAWN_KILL over the reason; it can be tried again
   */
  readonly kill: () => Errval;
}

/**
 * Make a domain of a program and run it.
 * @errors LIB_ERR_SPAWN over the reason
 * @post on failure nothing is left
 */
export function spawnProgram(spawner: Spawner, request: SpawnRequest): Result<SpawnedDomain> {
  const parts = new Parts(spawner.sys, spawner.source);
  const made = build(spawner, request, parts);
  if (!made.ok) {
    mustUndo(parts);
    return fail(errPush(made.err, Err.LIB_ERR_SPAWN));
  }
  const kill = (): Errval => {
    const err = parts.undo();
    return isOk(err) ? OK : errPush(err, Err.LIB_ERR_SPAWN_KILL);
  };
  const { dispatcher, rootCn } = made.value;
  return succeed({ name: request.name, dispatcher, rootCn, kill });
}

function build(spawner: Spawner, request: SpawnRequest, parts: Parts): Result<Objects> {
  const { sys } = spawner;
  const args = argsPageWords(request.args ?? [], request.environment ?? []);
  if (!args.ok) return args;
  const objects = makeObjects(spawner, request, parts);
  if (!objects.ok) return objects;
  let err = fillCspace(sys, objects.value, request);
  if (isOk(err)) err = spawner.vspace.write(objects.value.argsFrame, [[0, args.value]]);
  const { dispatcherBase: frameVaddr, bootInfoBase: argPage } = sys.cpu.arch;
  const state = firstState(sys.cpu.arch, { name: request.name, frameVaddr, argPage });
  if (isOk(err)) err = spawner.vspace.write(objects.value.frame, state);
  if (!isOk(err)) return fail(err);
  const { rootCn, dispatcher } = objects.value;
  err = dispatcherSetup(sys, dispatcher, {
    cspace: rootCn,
    vspaceRoot: capAddrOf(RootSlot.PageCn, 0),
    frame: capAddrOf(RootSlot.TaskCn, TaskSlot.DispatcherFrame),
    frameVaddr,
    isRun: true,
    ...(request.domain && { domain: request.domain }),
  });
  return isOk(err) ? objects : fail(err);
}
