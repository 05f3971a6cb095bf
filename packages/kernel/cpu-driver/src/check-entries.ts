/**
 * The invariants that speak of a kernel entry as code, for tests: `before` and `after` every trap.
 * It reads the registers as the kernel will and tells the checker of steps what was asked for.
 *
 * Here: I7, the rights of what is invoked. All else is in caps/check-step.ts.
 */

import {
  isError,
  lookupSlot,
  type Slot,
  STEP_INVARIANTS,
  type Step,
  StepChecker,
  type StepKind,
  slotOf,
} from '@barreleye/caps';
import {
  CNodeCmd,
  Cte,
  capTypeInfo,
  capTypeName,
  Dcb,
  headerCommand,
  headerFlags,
  headerLevel,
  INVOKE_ARGS_AT,
  KernelCmd,
  LmpFlag,
  ObjType,
  Rights,
  Syscall,
  TrapKind,
  VNodeCmd,
} from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import { INVOCATIONS } from './invocations.ts';
import type { Kernel } from './kernel.ts';
import { formatOf } from './table-format.ts';

/** Invariants that `EntryChecker` looks at. */
export const ENTRY_INVARIANTS: readonly string[] = [...STEP_INVARIANTS, 'I7'];

/** A system call as the kernel will find it. */
interface Call {
  readonly caller: number;
  readonly kind: StepKind;
  readonly target: Slot | undefined;
  /** Whether the invoked capability, if there is one, allows it. */
  readonly isAllowed: boolean;
  readonly name: string;
}

const CNODE_STEPS: { readonly [command: number]: StepKind } = {
  [CNodeCmd.Copy]: 'copy',
  [CNodeCmd.Mint]: 'copy',
  [CNodeCmd.Retype]: 'retype',
  [CNodeCmd.Delete]: 'delete',
  [CNodeCmd.Revoke]: 'revoke',
  [CNodeCmd.Create]: 'create',
  [CNodeCmd.Resize]: 'resize',
};
const VNODE_STEPS: { readonly [command: number]: StepKind } = {
  [VNodeCmd.Map]: 'map',
  [VNodeCmd.Unmap]: 'unmap',
};
/** Steps whose first two arguments are the address and the level of their target. */
const TARGETED: ReadonlySet<StepKind> = new Set(['delete', 'revoke', 'unmap']);

export class EntryChecker {
  readonly kernel: Kernel;
  private readonly steps: StepChecker;
  private call: Call | undefined;

  constructor(k: Kernel) {
    this.kernel = k;
    this.steps = new StepChecker(k.caps, ({ type }, bytes) => {
      const format = formatOf(k, type);
      const shape = format?.levels[format.levelOf(type)];
      return shape === undefined ? bytes : shape.reservedFrom * shape.entryBytes;
    });
    this.call = undefined;
  }

  /** Look at the state before a kernel entry. */
  before(trapKind: TrapKind): void {
    this.steps.begin();
    this.call = trapKind === TrapKind.Syscall ? decodeCall(this.kernel) : undefined;
  }

  /** Whether the last kernel entry may have changed any kernel object. */
  get hasChanged(): boolean {
    return this.steps.hasChanged;
  }

  /** Invariants that the kernel entry since `before` has violated. */
  after(): string[] {
    const { call } = this;
    if (call === undefined) return this.steps.end({ kind: 'other' });
    const isOk = outcomeOf(this.kernel, call);
    const { kind, target } = call;
    const step: Step = { kind, ...(target && { target }), ...(isOk !== undefined && { isOk }) };
    const problems = this.steps.end(step);
    if (isOk && !call.isAllowed) problems.push(`I7 ${call.name} succeeds without the right to it`);
    return problems;
  }
}

function decodeCall(k: Kernel): Call | undefined {
  const { caps, mem } = k;
  const caller = currentDcb(k);
  const number = word(k, 0);
  if (number === Syscall.Yield) return undefined;
  const nothing = { caller, target: undefined, isAllowed: true, name: 'nothing' };
  if (number !== Syscall.Invoke) return { ...nothing, kind: 'other' };
  const header = word(k, 1);
  const root = Dcb.cspace.at(caller);
  const found = lookupSlot(caps, root, word(k, 2), headerLevel(header), 0);
  if (isError(found)) return { ...nothing, kind: 'other', isAllowed: false };
  const cap = slotOf(found);
  const type = Cte.type.get(mem, cap);
  const command = headerCommand(header);
  const kind = kindOf(type, command);
  const cspace = capTypeInfo(type).vnode ? root : cap;
  const target = TARGETED.has(kind)
    ? lookupSlot(caps, cspace, word(k, INVOKE_ARGS_AT), word(k, INVOKE_ARGS_AT + 1), 0)
    : -1;
  if (type === ObjType.EndPointLMP && (headerFlags(header) & LmpFlag.Identify) === 0) {
    return decodeSend(k, caller, cap, header);
  }
  const needed = rightsFor(type, command);
  return {
    caller,
    kind,
    target: isError(target) ? undefined : slotOf(target),
    isAllowed: needed !== undefined && (Cte.rights.get(mem, cap) & needed) === needed,
    name: `command ${command} of the ${capTypeName(type)}`,
  };
}

/** A message; a capability that goes along may move. */
function decodeSend(k: Kernel, caller: number, ep: Slot, header: number): Call {
  const address = word(k, INVOKE_ARGS_AT);
  const isMove = address !== 0 && (headerFlags(header) & LmpFlag.GiveAway) !== 0;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = isMove ? lookupSlot(k.caps, root, address, headerCommand(header), 0) : -1;
  return {
    caller,
    kind: isMove ? 'move' : 'copy',
    target: isError(found) ? undefined : slotOf(found),
    isAllowed: (Cte.rights.get(k.mem, ep) & Rights.Write) !== 0,
    name: 'a message',
  };
}

function kindOf(type: ObjType, command: number): StepKind {
  switch (type) {
    case ObjType.L1CNode:
    case ObjType.L2CNode:
      return CNODE_STEPS[command] ?? 'other';
    case ObjType.Kernel:
      return command === KernelCmd.ReclaimRam ? 'reclaim' : 'trusted';
    case ObjType.KernelControlBlock:
      return 'trusted';
    default:
      return (capTypeInfo(type).vnode ? VNODE_STEPS[command] : undefined) ?? 'other';
  }
}

/** Rights that a command takes, undefined where there is no such command. */
function rightsFor(type: ObjType, command: number): number | undefined {
  const rights = INVOCATIONS[type]?.[command]?.rights;
  if (rights === undefined) return undefined;
  return capTypeInfo(type).vnode ? rights | Rights.Write : rights;
}

/** Whether the call has succeeded; undefined if its caller is not there to be told. */
function outcomeOf(k: Kernel, { caller }: Call): boolean | undefined {
  if (currentDcb(k) !== caller) return undefined;
  const { regs, arch } = k.hal;
  return regs[arch.resultWords[0]] === 0 && regs[arch.resultWords[1]] === 0;
}

/** A word of the call that is in a register: all that is looked at here are. */
function word(k: Kernel, i: number): number {
  return k.hal.regs[k.hal.arch.argWords[i] ?? 0] ?? 0;
}
