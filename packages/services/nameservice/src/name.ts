/** What a name may look like. Names are ASCII, so their order as strings is that of their bytes. */

import { MAX_SERVICE_NAME_BYTES } from '@barreleye/program';

const CHARACTERS = /^[A-Za-z0-9._/-]+$/;

/** Whether `text` can be a name, of a service or of an interface. */
export function isServiceName(text: string): boolean {
  return text.length <= MAX_SERVICE_NAME_BYTES && CHARACTERS.test(text);
}
