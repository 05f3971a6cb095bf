/**
 * Every error of the system: name, and a sentence that says what happened and, where it helps, what
 * to do. Names are Barrelfish's where it has the error; they are permanent. The number of an error
 * is its place in this table, so new ones are added at the end of the file.
 */

import { type Errval, errStack, errval, isOk } from '@barreleye/core';

const SENTENCES = {
  SYS_ERR_ILLEGAL_SYSCALL: 'there is no such system call',
  SYS_ERR_ILLEGAL_INVOCATION: 'a capability of this type has no such operation',
  SYS_ERR_INVARGS_SYSCALL: 'an argument of the system call is out of range',
  SYS_ERR_CALLER_ENABLED: 'only a disabled dispatcher may make this call',
  SYS_ERR_CALLER_DISABLED: 'a disabled dispatcher may not make this call',
  SYS_ERR_INVALID_YIELD_TARGET: 'only a dispatcher or an LMP endpoint can be yielded to',
  SYS_ERR_INVALID_USER_BUFFER: 'the buffer is not wholly mapped with the access it needs',
  SYS_ERR_CAP_LOOKUP_DEPTH: 'a capability address has at most two levels',
  SYS_ERR_CNODE_TYPE: 'the capability on this path is not a CNode of the expected level',
  SYS_ERR_CNODE_NOT_ROOT: 'the operation needs an L1 CNode',
  SYS_ERR_CNODE_RIGHTS: 'a CNode on the path lacks the right that the operation needs',
  SYS_ERR_CNODE_NOT_FOUND: 'the L1 slot on the path is empty',
  SYS_ERR_L1_CNODE_INDEX: 'the L1 slot index is beyond the end of the CNode',
  SYS_ERR_CAP_NOT_FOUND: 'the slot is empty',
  SYS_ERR_CAP_RIGHTS: 'the capability lacks the right that the operation needs',
  SYS_ERR_CAP_LOCKED: 'the object is locked by an operation between cores; try again',
  SYS_ERR_SLOT_IN_USE: 'the destination slot holds a capability already',
  SYS_ERR_SLOTS_IN_USE: 'one of the destination slots holds a capability already',
  SYS_ERR_SLOTS_INVALID: 'the destination slots reach beyond the end of the CNode',
  SYS_ERR_SLOT_LOOKUP_FAIL: 'the slot cannot be found',
  SYS_ERR_SOURCE_ROOTCN_LOOKUP: 'the root CNode of the source cannot be found',
  SYS_ERR_SOURCE_CAP_LOOKUP: 'the source capability cannot be found',
  SYS_ERR_DEST_ROOTCN_LOOKUP: 'the root CNode of the destination cannot be found',
  SYS_ERR_DEST_CNODE_LOOKUP: 'the destination CNode cannot be found',
  SYS_ERR_DEST_CNODE_INVALID: 'the destination is not a CNode',
  SYS_ERR_DEST_TYPE_INVALID: 'a capability of this type may not be put there',
  SYS_ERR_DEST_CAP_RIGHTS: 'the page table capability lacks the write right',
  SYS_ERR_ILLEGAL_DEST_TYPE: 'there is no such capability type',
  SYS_ERR_TYPE_NOT_CREATABLE: 'capabilities of this type are made by retype, not from nothing',
  SYS_ERR_ID_SPACE_EXHAUSTED: 'this core has handed out all of its identifiers',
  SYS_ERR_DOMAIN_SPACE_EXHAUSTED: 'this core has handed out all of its domain identifiers',
  SYS_ERR_INVALID_RETYPE: 'the source type may not be retyped to the destination type',
  SYS_ERR_RETYPE_MAPPING_EXPLICIT: 'mapping capabilities are made by mapping, not by retype',
  SYS_ERR_RETYPE_INVALID_OFFSET: 'the offset is misaligned or outside the source',
  SYS_ERR_RETYPE_INVALID_COUNT: 'the source does not hold that many objects, or the count is zero',
  SYS_ERR_RETYPE_INVALID_OBJSIZE: 'the object size does not fit the source',
  SYS_ERR_RETYPE_CREATE: 'the new objects could not be made',
  SYS_ERR_INVALID_SIZE: 'the object size is zero, too large or not a multiple of its granule',
  SYS_ERR_REVOKE_FIRST: 'another object made from the source lies in that range; revoke it first',
  SYS_ERR_RETRY_THROUGH_MONITOR: 'the kernel cannot decide this alone; ask the monitor',
  SYS_ERR_DELETE_LAST_OWNED: 'this is the last owned copy; the monitor must delete it',
  SYS_ERR_DELETE_REMOTE_LOCAL: 'the object is owned here, so foreign copies cannot be deleted',
  SYS_ERR_INVALID_EPLEN: 'an endpoint buffer needs room for at least one message',
  SYS_ERR_EP_OUTSIDE_FRAME: 'the endpoint buffer is not inside the dispatcher frame',
  SYS_ERR_MINT_PARAMETERS: 'the mint parameters do not narrow the capability',
  SYS_ERR_RESIZE_NOT_L1: 'only an L1 CNode can be resized',
  SYS_ERR_INVALID_SOURCE_TYPE: 'the source capability has the wrong type',
  SYS_ERR_DISP_NOT_RUNNABLE: 'the dispatcher is dead, or lacks a CSpace, a VSpace or a frame',
  SYS_ERR_DISP_CSPACE_ROOT: 'the CSpace root of the new dispatcher cannot be found',
  SYS_ERR_DISP_CSPACE_INVALID: 'the CSpace root of a dispatcher must be an L1 CNode',
  SYS_ERR_DISP_VSPACE_ROOT: 'the VSpace root of the new dispatcher cannot be found',
  SYS_ERR_DISP_VSPACE_INVALID: 'the capability is not the root of a VSpace for this core',
  SYS_ERR_DISP_FRAME: 'the dispatcher frame cannot be found',
  SYS_ERR_DISP_FRAME_INVALID: 'the dispatcher frame must be a Frame',
  SYS_ERR_DISP_FRAME_SIZE: 'the dispatcher frame is too small',
  SYS_ERR_DISP_OCAP_LOOKUP: 'the other dispatcher cannot be found',
  SYS_ERR_DISP_OCAP_TYPE: 'the other dispatcher is not a dispatcher',
  SYS_ERR_VNODE_SLOT_INVALID: 'the page table has no such entry',
  SYS_ERR_VNODE_SLOT_RESERVED: 'this entry of the root table belongs to the kernel',
  SYS_ERR_VNODE_SLOT_INUSE: 'the entry maps something already; unmap it first',
  SYS_ERR_VNODE_TYPE: 'the capability is not a page table',
  SYS_ERR_VNODE_NOT_INSTALLED: 'the entry maps nothing',
  SYS_ERR_VM_MAP_SIZE: 'the entries reach beyond the end of the page table',
  SYS_ERR_VM_MAP_RIGHTS: 'the mapping asks for more than the capability allows',
  SYS_ERR_VM_MAP_OFFSET: 'the offset into the frame is not a multiple of the page size',
  SYS_ERR_VM_FRAME_TOO_SMALL: 'the frame is smaller than the page',
  SYS_ERR_VM_FRAME_UNALIGNED: 'the frame is not aligned to the page size',
  SYS_ERR_VM_FRAME_OUT_OF_REACH: 'the page table cannot name addresses as high as the frame has',
  SYS_ERR_FRAME_OFFSET_INVALID: 'the mapped range reaches beyond the end of the frame',
  SYS_ERR_WRONG_MAPPING: 'a page table of this type does not take such a capability',
  SYS_ERR_VM_NOT_MAPPED: 'the mapping does not belong to this page table',
  SYS_ERR_LMP_NO_TARGET: 'the endpoint has no receiver',
  SYS_ERR_LMP_EP_STATE_INVALID: 'the receiver has corrupted its endpoint buffer',
  SYS_ERR_LMP_BUF_OVERFLOW: 'the endpoint buffer is full; send again later',
  SYS_ERR_LMP_TARGET_DISABLED: 'the receiver is disabled',
  SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP: 'the capability cannot be sent',
  SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID: 'the receive slot of the receiver does not exist',
  SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED: 'the receive slot of the receiver is full',
  SYS_ERR_IRQ_INVALID: 'there is no such interrupt vector',
  SYS_ERR_IRQ_NO_FREE_VECTOR: 'this core has no free interrupt vector',
  SYS_ERR_IRQ_LOOKUP_EP: 'the endpoint for the interrupt cannot be found',
  SYS_ERR_IRQ_NOT_ENDPOINT: 'interrupts are delivered to LMP endpoints only',
  SYS_ERR_IRQ_NO_LISTENER: 'the endpoint for the interrupt has no buffer yet',
  SYS_ERR_IRQ_WRONG_CONTROLLER: 'the interrupt belongs to another core',
  SYS_ERR_IRQ_IN_USE: 'the interrupt is connected already',
  SYS_ERR_IO_PORT_INVALID: 'the port is outside the range of the capability',
  SYS_ERR_MDB_DUPLICATE_ENTRY: 'the capability is in the mapping database already',
  SYS_ERR_MDB_ENTRY_NOT_FOUND: 'the capability is not in the mapping database',
  MM_ERR_NOT_FOUND: 'no free memory of that size and alignment',
  MM_ERR_OUT_OF_BOUNDS: 'the region lies outside the memory of this manager',
  MM_ERR_ALREADY_PRESENT: 'the region overlaps memory that this manager has already',
  MM_ERR_NOT_ALLOCATED: 'the region was not allocated by this manager',
  MM_ERR_NEW_NODE: 'the memory manager is out of node storage',
  MM_ERR_SLOT_ALLOC: 'the memory manager is out of capability slots',
  MM_ERR_RETYPE: 'memory could not be retyped',
  MM_ERR_DELETE: 'the capability of freed memory could not be deleted',
  MM_ERR_INVALID_ALIGNMENT: 'the alignment is not a power of two of at least one page',
  MM_ERR_INVALID_SIZE: 'the size is not a positive number of bytes',
  LIB_ERR_NOT_IMPLEMENTED: 'this does not exist yet',
  LIB_ERR_SLOT_ALLOC: 'no capability slot could be allocated',
  LIB_ERR_SLOT_ALLOC_NO_SPACE: 'the slot allocator is full',
  LIB_ERR_SLOT_UNALLOCATED: 'the slot is not allocated',
  LIB_ERR_SLOT_WRONG_CNODE: 'the slot belongs to another allocator',
  LIB_ERR_RAM_ALLOC: 'no RAM could be allocated',
  LIB_ERR_CAP_COPY: 'the capability could not be copied',
  LIB_ERR_CAP_MINT: 'the capability could not be minted',
  LIB_ERR_CAP_RETYPE: 'the capability could not be retyped',
  LIB_ERR_CAP_DELETE: 'the capability could not be deleted',
  LIB_ERR_CAP_REVOKE: 'the capability could not be revoked',
  LIB_ERR_CAP_IDENTIFY: 'the capability could not be identified',
  LIB_ERR_VNODE_MAP: 'the page table entry could not be written',
  LIB_ERR_VNODE_UNMAP: 'the page table entry could not be cleared',
  LIB_ERR_VNODE_CREATE: 'a page table could not be made',
  LIB_ERR_PMAP_MAP: 'the frame could not be mapped',
  LIB_ERR_PMAP_EXISTING_MAPPING: 'something is mapped at that address already',
  LIB_ERR_PMAP_NOT_MAPPED: 'nothing is mapped at that address',
  LIB_ERR_PMAP_ADDRESS: 'the address is misaligned or outside the address space',
  LIB_ERR_VSPACE_FULL: 'the address space has no free range of that size',
  LIB_ERR_THREAD_LIMIT: 'the domain has too many threads',
  LIB_ERR_EP_CREATE: 'an endpoint could not be made',
  LIB_ERR_BAD_INPUT: 'the input is malformed',
  LIB_ERR_PAGE_FAULT: 'the address is not mapped with the access that was tried',
  LIB_ERR_PAGE_FAULT_NO_REGION: 'no region covers the address',
  LIB_ERR_PAGE_FAULT_ACCESS: 'the region does not allow the access',
  LIB_ERR_PAGE_FAULT_GUARD: 'the address lies in a guard region; a stack or buffer has overflowed',
  LIB_ERR_PMAP_MODIFY_FLAGS: 'what the pages allow could not be changed',
  LIB_ERR_FRAME_ALLOC: 'no frame could be made',
  LIB_ERR_DISP_SETUP: 'the dispatcher could not be set up',
  LIB_ERR_DISP_PROPERTIES: 'the dispatcher could not be made such a task',
  LIB_ERR_SPAWN: 'the domain could not be made',
  LIB_ERR_SPAWN_KILL: 'the domain could not be taken apart',
  LIB_ERR_HEAP_FULL: 'the heap cannot grow',
  LIB_ERR_HEAP_FREE: 'no block of the heap begins at that address',
  BOOT_ERR_MENU: 'the boot menu is malformed',
  BOOT_ERR_NO_MODULE: 'the boot menu names a module that does not exist',
  BOOT_ERR_NO_RAM: 'the machine has too little RAM to boot',
  BOOT_ERR_IMAGE: 'the module is not a program for this machine',
  LIB_ERR_CAP_CREATE: 'the identifier could not be made',
  LIB_ERR_CAP_RESIZE: 'the capability space could not be given another root',
  LIB_ERR_IRQ_ALLOCATE: 'the interrupt could not be had',
  LIB_ERR_IRQ_CONNECT: 'the interrupt could not be connected',
  LIB_ERR_KERNEL_CAP: 'the CPU driver refused what only monitors may ask',
  LIB_ERR_THREAD_DETACHED: 'the thread is detached; nobody can ask how it ended',
  LIB_ERR_THREAD_JOINED: 'somebody waits for the end of the thread',
  LIB_ERR_DEADLOCK: 'the thread would wait for itself',
  LIB_ERR_MUTEX_NOT_OWNER: 'the mutex is not held by this thread',
  LIB_ERR_CHAN_ALREADY_REGISTERED: 'the event is registered already',
  RPC_ERR_CLOSED: 'the binding has ended: one of its sides closed it or died',
  RPC_ERR_PROTOCOL: 'the other side broke the rules of the wire; the binding was closed',
  RPC_ERR_INTERFACE: 'the two sides of the binding do not speak the same interface',
  RPC_ERR_NO_METHOD: 'the interface has no method of that number',
  RPC_ERR_ARGUMENT: 'a value is outside of what the interface declares',
  RPC_ERR_MALFORMED: 'the message is not what the interface declares',
  RPC_ERR_CAP: 'a capability could not be sent with the message',
  RPC_ERR_HANDLER: 'the service failed while it served the call',
  RPC_ERR_REMOTE: 'the other side did not serve the call',
  RPC_ERR_TOO_MANY_CALLS: 'too many calls on one binding wait for their replies',
  SYS_ERR_LRPC_NOT_ENDPOINT: 'only an LMP endpoint can be called',
  LIB_ERR_LMP_CONNECT: 'the endpoint to connect to takes no messages',
  SYS_ERR_SCHED_PARAMETERS: 'the scheduling parameters do not make a task',
  SYS_ERR_SCHED_NO_REAL_TIME: 'the scheduler of this core has no real-time tasks and no weights',
  SYS_ERR_SCHED_NOT_ADMITTED: 'the real-time tasks of this core leave too little for this one',
  INIT_ERR_QUOTA: "the domain has used up its quota of memory; 'ps' shows quotas",
  INIT_ERR_NOT_YOURS: 'the domain that asks does not own this',
  SPAWN_ERR_NO_PROGRAM: "there is no program of that name; 'run' without a name lists them",
  SPAWN_ERR_NO_DOMAIN: 'no such domain, or it has ended and been waited for',
  SPAWN_ERR_ENDED: 'the domain has ended',
  SPAWN_ERR_ARGS: 'arguments and environment do not fit the arguments page',
  SPAWN_ERR_NO_INSPECTOR: 'the domain does not answer questions about itself',
  NAME_ERR_INVALID: 'a name has 1 to 64 characters: letters, digits, dot, minus, underscore, slash',
  NAME_ERR_EXISTS: 'the name is taken',
  NAME_ERR_UNKNOWN: "nobody has registered that name; 'names' lists those who have",
  NAME_ERR_NOT_OWNER: 'only who has registered a name can deregister it',
  NAME_ERR_FULL: 'one domain can register no more names',
  LIB_ERR_DISP_STOP: 'the dispatcher could not be stopped',
  LIB_ERR_DISP_RESUME: 'the dispatcher could not be resumed',
  RPC_ERR_TIMEOUT: 'the call was not answered in time; whether it was served is not known',
  NAME_ERR_NO_SERVICE: 'the name service has ended, and all names with it',
  SYS_ERR_CORE_START: 'no such core, or it runs already, or its boot information makes no sense',
  LIB_ERR_NOTIFY: 'the other core could not be notified',
  INIT_ERR_CORE: 'the core could not be started',
} as const satisfies Record<string, string>;

/** Name of an error. */
export type ErrName = keyof typeof SENTENCES;

/** All error names; the number of `ERR_NAMES[i]` is `i + 1`. */
export const ERR_NAMES = Object.keys(SENTENCES) as readonly ErrName[];

/** Error values by name: `Err.SYS_ERR_CAP_NOT_FOUND`. */
export const Err = Object.fromEntries(ERR_NAMES.map((name, i) => [name, errval(i + 1)])) as {
  readonly [K in ErrName]: Errval;
};

if (ERR_NAMES.length >= 1024) throw new Error('error numbers must fit ten bits');

/** Name of the most recent code of `err`: `'OK'`, or `'error 999'` where there is none. */
export function errName(err: Errval): string {
  if (isOk(err)) return 'OK';
  const [top = err] = errStack(err);
  return ERR_NAMES[top - 1] ?? `error ${top}`;
}

/** Names of all codes, most recent first. */
export function errNames(err: Errval): string[] {
  return errStack(err).map((code) => ERR_NAMES[code - 1] ?? `error ${code}`);
}

/** The whole story in words: `what failed (LIB_ERR_X), because what was wrong (SYS_ERR_Y)`. */
export function describeError(err: Errval): string {
  if (isOk(err)) return 'OK';
  return errStack(err)
    .map((code) => {
      const name = ERR_NAMES[code - 1];
      return name === undefined ? `error ${code}` : `${SENTENCES[name]} (${name})`;
    })
    .join(', because ');
}
