/** The single source of truth, data only: what kernel, library and machine agree on. */

export { type Arch, type ArchName, archArmv7, archX86_64, type RootType } from './arch.ts';
export {
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BOOTINFO_REGION_COUNT,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  RegionType,
} from './bootinfo.ts';
export {
  CAP_TYPE_COUNT,
  CAP_TYPE_INFO,
  CAP_TYPE_NAMES,
  CAP_TYPES,
  type CapTypeInfo,
  type CapTypeName,
  type CopyableTypeName,
  capTypeInfo,
  capTypeName,
  type Identity,
  isRetypeEdge,
  type MappableTypeName,
  type MappingTypeName,
  ObjType,
  type RetypeTarget,
  type VNodeTypeName,
} from './cap-types.ts';
export {
  CPTR_ROOTCN,
  CTE_BITS,
  CTE_BYTES,
  Cte,
  CteFlag,
  capAddrOf,
  L1_CNODE_GRANULE,
  L2_CNODE_BITS,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  L2CNode,
  Rights,
  RootSlot,
  TaskSlot,
} from './cte.ts';
export {
  DeviceClass,
  PowerReg,
  Uart16550Bit,
  Uart16550Reg,
  UartPl011Bit,
  UartPl011Reg,
} from './devices.ts';
export {
  DISPATCHER_FRAME_BYTES,
  DISPATCHER_SHARED_BYTES,
  DispatcherFrame,
  MESSAGE_WORDS,
  SAVE_AREA_BYTES,
  SAVE_AREA_REGISTERS,
} from './dispatcher-frame.ts';
export {
  describeError,
  ERR_NAMES,
  Err,
  type ErrName,
  errName,
  errNames,
} from './errors.ts';
export {
  DCB_BYTES,
  Dcb,
  DcbState,
  FreeRam,
  IRQ_VECTOR_COUNT,
  KCB_BYTES,
  KCB_MAGIC,
  Kcb,
} from './kcb.ts';
export {
  endpointBufferBytes,
  isEndpointBuffer,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpFlag,
  LmpHeader,
} from './lmp.ts';
export {
  Access,
  type EntryView,
  type Paging,
  type TableLevel,
  type Walker,
  type WalkerRegs,
} from './paging.ts';
export {
  CNodeCmd,
  COMMANDS,
  COUNTERS,
  DispatcherCmd,
  IdCmd,
  INVOKE_ARGS_AT,
  IrqDestCmd,
  IrqSrcCmd,
  IrqTableCmd,
  invokeHeader,
  KcbCmd,
  KernelCmd,
  MappingCmd,
  PageFlag,
  RamCmd,
  Syscall,
  VNodeCmd,
} from './syscalls.ts';
export {
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  Gate,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
  type Program,
  type ProgramInstance,
  TrapKind,
  type UserCpu,
} from './user.ts';
