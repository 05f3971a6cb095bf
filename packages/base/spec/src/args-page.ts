/**
 * The arguments page: what a domain is told by whoever made it, mapped where init finds its boot
 * information. Behind the header lie the arguments and then the environment, each string as a word
 * for its length in bytes and its UTF-8, padded to whole words.
 * Source: Barrelfish `struct spawn_domain_params`; strings instead of pointers are ours.
 */

import { layout, u32 } from '@barreleye/core';

/** Bytes of the frame of an arguments page. */
export const ARGS_PAGE_BYTES = 16384;
/** "ARGS": the spawner has filled it in. */
export const ARGS_PAGE_MAGIC = 0x5347_5241;

export const ArgsPage = layout('ArgsPage', 16, {
  magic: u32(0),
  argCount: u32(4),
  environmentCount: u32(8), // strings of the form NAME=value
});
