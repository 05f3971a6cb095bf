/** A terminal without colours and cursor keys: what a person sees of the bytes of a serial line. */

import { decodeUtf8, isContinuation } from '@barreleye/core';

export class Screen {
  bellCount = 0;
  /** Each cell holds the bytes of one character. */
  private readonly rows: number[][][] = [[]];
  private column = 0;

  show(byte: number): void {
    const row = this.rows.at(-1) ?? [];
    if (byte === 0x0a) this.rows.push([]);
    else if (byte === 0x0d) this.column = 0;
    else if (byte === 0x08) this.column = Math.max(this.column - 1, 0);
    else if (byte === 0x07) this.bellCount += 1;
    else if (isContinuation(byte)) row[this.column - 1]?.push(byte);
    else {
      row[this.column] = [byte];
      this.column += 1;
    }
  }

  /** The rows from the top, without the blanks at their ends. */
  get text(): string[] {
    return this.rows.map((row) => decodeUtf8(row.flat()).trimEnd());
  }

  /** The column of the cursor in the last row. */
  get cursor(): number {
    return this.column;
  }
}
