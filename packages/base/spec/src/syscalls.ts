/**
 * The system call interface: numbers, and how the words of an invocation are laid out. Every
 * argument is a 32-bit word on every architecture (byte counts and offsets take two, low first);
 * arch.ts says which registers carry them and what spills into the dispatcher frame (ADR 6).
 */

import type { CapTypeName } from './cap-types.ts';

/** System call numbers, Barrelfish's: argument word 0. There is none for a console (ADR 8). */
export const Syscall = {
  Invoke: 0, //  words: `invokeHeader`, capability address, then the command's arguments
  Yield: 1, //   words: capability address of the target, 0 for undirected
  Lrpc: 2, //    words: capability address of an endpoint, then `LRPC_WORDS` of the message
  Nop: 5,
  Suspend: 10, // the core sleeps until an interrupt, at the latest until the slice is over
} as const;

/** Words before the arguments of an invocation: number, header, capability address. */
export const INVOKE_ARGS_AT = 3;

/**
 * Commands of CNodes. Level arguments are packed four bits each, the first lowest. Here and below
 * `place` is the slot and the level of the CNode that the word before it names, as of `packPlace`;
 * `|` stands between two numbers of one word (words.ts).
 */
export const CNodeCmd = {
  // dest cspace, dest cnode, dest slot, source cspace, source cap, levels (dest cnode, source)
  Copy: 0,
  // as Copy, then rights to keep, param1, param2 (by type of the source)
  Mint: 1,
  // source cspace, source cap, offset lo, hi, type | count, object bytes lo, hi,
  // dest cspace, dest cnode, place
  Retype: 2,
  Delete: 3, // cap, level 1 or 2
  Revoke: 4, // cap, level 1 or 2; it takes the revoke right
  Create: 5, // type, dest cnode, place
  GetState: 6, // cap, level; value: CteFlag bits, 32 when foreign
  GetSize: 7, // value: bytes
  Resize: 8, // new root, return cnode, return slot
  // cap, level; value: type | rights | interface type. Message words: base lo, hi, bytes lo, hi,
  // owner, arg0, arg1
  Identify: 9,
} as const;

/** Commands of page tables. */
export const VNodeCmd = {
  // entry | count, source cspace, source cap, flags | level, offset lo, hi, mapping cspace,
  // mapping cnode, place
  Map: 0,
  Unmap: 1, // mapping cap, level
  ModifyFlags: 2, // first entry, count, flags
} as const;

/** Commands of mappings. Modify: first entry, counted from the mapping's own; count; flags. */
export const MappingCmd = { Modify: 0 } as const;

/** Commands of dispatchers. */
export const DispatcherCmd = {
  // cspace, cspace level; vspace root and dispatcher frame, at level 2 of that cspace; run (0, 1);
  // frame virtual address lo, hi; a dispatcher of the same domain or its Domain capability, 0 for
  // the caller's. With 0 for
  // the three addresses: run what was set up before
  Setup: 0,
  // task type, weight; deadline, wcet, period, release: cycles, lo and hi each
  Properties: 1,
  PerfMon: 2,
  Stop: 3, //   it does not run, whatever happens, until Resume
  Resume: 4, // it runs on where it was, if it has anything to do by now
} as const;

/** Commands of the IRQ table and of interrupt capabilities. */
export const IrqTableCmd = { AllocDestCap: 1 } as const; // line, dest cnode, place
export const IrqDestCmd = { Connect: 0, GetVector: 1, GetCpu: 2 } as const; // endpoint cap, level
/** Commands of Notify_IPI: raise its line on its core. */
export const NotifyCmd = { Send: 0 } as const;

/** Interrupt lines of a core that others may raise: from `first`, below `end`. */
export const NOTIFY_LINES = { first: 32, end: 96 } as const;
export const IrqSrcCmd = { GetVecStart: 0, GetVecEnd: 1 } as const;

/**
 * Endpoints: with `LmpFlag.Identify` in the header a command; else a message. Its header has the
 * level of the capability that goes along in the place of the command. Its words: capability
 * address, 0 for none; then as many as the header says, `Arch.lmpWords` at most.
 */
export const EndpointCmd = {
  Identify: 0, // as CNodeCmd.Identify; an error when the receiver is dead
} as const;

/** Commands of KCBs, RAM (a benchmark), ID, IPIs. */
export const KcbCmd = { Identify: 0 } as const;
export const RamCmd = { Noop: 0 } as const;
export const IdCmd = { Identify: 0 } as const;

/** Words of a described capability: what `CNodeCmd.Identify` answers, the value first. */
export const CAP_WORDS = 8;

/**
 * Commands of the Kernel capability; numbers as in Barrelfish up to 34. `cspace` names the root
 * CNode of any domain, in the caller's space; `capability` is one described in `CAP_WORDS` words.
 * Those without a comment do not exist yet.
 */
export const KernelCmd = {
  SpawnCore: 0, // core, boot information frame, level
  IdentifyCap: 1, // cap, level; answer as of CNodeCmd.Identify
  IdentifyDomainsCap: 2, // cspace, cap, level; likewise
  RemoteRelations: 3, // cspace, cap, level, relations | mask << 8; value: relations now
  CapHasRelations: 4, // cap, level, mask; value: those of them that exist on this core
  CreateCap: 5, // capability, dest cnode, place
  CopyExisting: 6, // capability, dest cnode, place
  GetCoreId: 7, // value: number
  GetArchId: 8, // value: index in `ARCH_NAMES`
  NullifyCap: 9, // cap, level
  SetupTrace: 10,
  Register: 11, // endpoint, level: gets the reports of death-report.ts
  DomainId: 12, // dispatcher, level, identifier: a number of this core
  GetCapOwner: 13, // cspace, cap, level; value: core
  SetCapOwner: 14, // cspace, cap, level, core
  LockCap: 15, // cspace, cap, level
  UnlockCap: 16, // cspace, cap, level
  DeleteLast: 17, // cspace, cap, level
  DeleteForeigns: 18, // cap, level
  RevokeMarkTarget: 19, // cspace, cap, level
  RevokeMarkRelations: 20, // capability
  DeleteStep: 21, // dest cnode, place; value: 1 if something was put there
  ClearStep: 22, // nothing
  Retype: 23, // as CNodeCmd.Retype
  HasDescendants: 24, // capability; value: 0 or 1
  IsRetypeable: 25, // capability, offset lo, hi, object bytes lo, hi, count
  SyncTimer: 26,
  IpiRegister: 27,
  IpiDelete: 28,
  GetGlobalPhys: 29,
  AddKcb: 30,
  RemoveKcb: 31,
  SuspendKcbSched: 32,
  GetPlatform: 33,
  ReclaimRam: 34, // dest cnode, place
  Counters: 35, // counter number; value: its count
  GetScheduler: 36, // value: `Scheduler`
  StopCore: 37, // nothing; there is no answer
  IsCoreOff: 38, // core; value: 1 if nothing runs on it
  ReplaceDriver: 39, // nothing
  // first page lo, hi, number of pages: what this core may have kept of these translations it
  // forgets; of all, with 0 pages at 0
  Invalidate: 40,
} as const;

/** What `KernelCmd.Counters` reads, in order: field of the KCB, and name for people. */
export const COUNTERS = [
  { field: 'kernelEntries', name: 'kernel entries' },
  { field: 'systemCalls', name: 'system calls' },
  { field: 'contextSwitches', name: 'context switches' },
  { field: 'pageFaults', name: 'page faults' },
  { field: 'interrupts', name: 'interrupts' },
  { field: 'lostMessages', name: 'lost messages' },
  { field: 'freeRamBytes', name: 'bytes of RAM to collect' },
  { field: 'driverChanges', name: 'CPU drivers replaced' },
  { field: 'invalidations', name: 'translations invalidated for other cores' },
] as const;

/** Command tables by capability type, for printers and documentation. */
export const COMMANDS: { readonly [K in CapTypeName]?: { readonly [name: string]: number } } = {
  L1CNode: CNodeCmd,
  L2CNode: CNodeCmd,
  Dispatcher: DispatcherCmd,
  IRQTable: IrqTableCmd,
  IRQDest: IrqDestCmd,
  IRQSrc: IrqSrcCmd,
  Notify_IPI: NotifyCmd,
  KernelControlBlock: KcbCmd,
  EndPointLMP: EndpointCmd,
  RAM: RamCmd,
  ID: IdCmd,
  Kernel: KernelCmd,
};

/** Flags of a mapping; the architecture turns them into bits of its entries. */
export const PageFlag = { Read: 1, Write: 2, Execute: 4, NoCache: 8, All: 15 } as const;
