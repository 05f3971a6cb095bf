/** The worker side of `drive`: parses, runs the subject, and turns its failure into a document. */

import { parentPort, workerData } from 'node:worker_threads';
import type { DriveReply } from './drive.ts';
import { InputError } from './input.ts';
import { SUBJECTS } from './subjects.ts';

interface Job {
  readonly subject: string;
  readonly input: string;
}

/** Run a job to its reply. */
async function run({ subject, input }: Job): Promise<DriveReply> {
  try {
    const document: unknown = JSON.parse(input);
    const output = await SUBJECTS.get(subject)?.(document);
    return { exitCode: 0, json: JSON.stringify(output) };
  } catch (error) {
    if (error instanceof InputError) return failure(error.message);
    if (error instanceof SyntaxError) return failure(`the input is not JSON: ${error.message}`);
    throw error;
  }
}

function failure(error: string): DriveReply {
  return { exitCode: 2, json: JSON.stringify({ error }) };
}

parentPort?.postMessage(await run(workerData as Job));
