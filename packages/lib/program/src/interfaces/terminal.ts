/** The terminal: lines in, text out, for many domains at once. Each connection is a session. */

import { bool, call, defineInterface, oneOf, string, u32 } from '@barreleye/rpc';

/** Most that one `write` takes; longest line; longest prompt. Bytes of UTF-8. */
export const MAX_WRITE_BYTES = 2048;
export const MAX_LINE_BYTES = 4096;
export const MAX_PROMPT_BYTES = 256;

export const Terminal = defineInterface('terminal', {
  /**
   * Show text. Lines of different sessions are never mixed: what follows the last line break
   * stays with the terminal until the line is whole, or `flush`, or a `readLine` whose prompt
   * follows it.
   */
  write: call({ text: string(MAX_WRITE_BYTES) }, {}),
  /** Show an unfinished line as far as it goes, unless a line is being edited. */
  flush: call({}, {}),
  /**
   * Show a prompt and have a line edited, which begins as `line` with the cursor behind `cursor`
   * characters (code points). Answers `line`; `cancelled`: Ctrl-C; `end`: Ctrl-D on an empty
   * line; and, if `canComplete`, `complete` when the Tab key was pressed: the caller asks again
   * with the line and cursor that it wants, which goes on where the editing was. Sessions take
   * turns to read; one that was answered `complete` keeps its turn until it asks again.
   */
  readLine: call(
    {
      prompt: string(MAX_PROMPT_BYTES),
      line: string(MAX_LINE_BYTES),
      cursor: u32,
      canComplete: bool,
      hasHistory: bool, // the arrow keys go through earlier lines of this session
    },
    {
      kind: oneOf('line', 'cancelled', 'end', 'complete'),
      text: string(MAX_LINE_BYTES),
      cursor: u32,
    },
  ),
  /**
   * Answered when Ctrl-C is next pressed: of several that wait, to the one that has asked last. A
   * `readLine` of another session is cancelled by it, too. A session that edits a line itself
   * hears of the key as the end of that line, and goes on waiting.
   */
  awaitInterrupt: call({}, {}),
});
