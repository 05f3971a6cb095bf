/** Typed interfaces, and calls over any transport of words and capabilities. */

export { Bell } from './bell.ts';
export { type BindOptions, bindClient } from './client.ts';
export {
  array,
  bool,
  bytes,
  cap,
  type Fields,
  type FieldType,
  gift,
  i32,
  type OptionalType,
  oneOf,
  optional,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
  type ValueOf,
  type Values,
} from './field.ts';
export {
  type CallMethod,
  type Client,
  call,
  defineInterface,
  type Handlers,
  type Interface,
  type Method,
  type Methods,
  type OnewayMethod,
  oneway,
} from './interface.ts';
export { RpcError } from './rpc-error.ts';
export { type ServeOptions, serve } from './server.ts';
export { Parking, type Threads, type WaitReason } from './threads.ts';
export { ReceiveResult, SendResult, type Transport, yieldCore } from './transport.ts';
