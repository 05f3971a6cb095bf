/**
 * What of a client's text is shown. The screen belongs to all clients, so a line of text is just
 * that: what would move the cursor, erase or change colours is left out.
 */

import { charWidth, isShowable } from './cell.ts';

const ESC = '\u001b';
/** A control sequence of a terminal. Source: ECMA-48, 5.4. */
const SEQUENCE = new RegExp(`${ESC}\\[[0-?]*[ -/]*[@-~]`, 'gu');
const TAB_COLUMNS = 8;

/**
 * One line of text as it is shown: tabs are blanks, and a carriage return begins the line anew.
 * @param text without line feeds
 */
export function lineText(text: string): string {
  const whole = text.replace(/\r+$/u, '');
  const last = whole.slice(whole.lastIndexOf('\r') + 1).replace(SEQUENCE, '');
  let shown = '';
  let column = 0;
  for (const char of last) {
    const isTab = char === '\t';
    if (!isTab && !isShowable(char)) continue;
    const width = isTab ? TAB_COLUMNS - (column % TAB_COLUMNS) : charWidth(char);
    if (width === 0 && shown === '') [shown, column] = [' ', 1]; // what a mark joins
    shown += isTab ? ' '.repeat(width) : char;
    column += width;
  }
  return shown;
}
