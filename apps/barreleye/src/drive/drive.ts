/**
 * `barreleye drive SUBJECT`: one JSON document in, one out. Errors of the subject are data; input
 * that is not of the form is exit code 2 and says which field. Nothing else appears on stdout.
 *
 * The subject runs in a worker thread, so that one that does not end can be stopped.
 */

import { Worker } from 'node:worker_threads';
import { parseInteger } from '../numbers.ts';
import { UsageError } from '../usage-error.ts';
import { SUBJECT_NAMES } from './subjects.ts';

const EXIT_INPUT = 2;
const MAX_SECONDS = 86_400;

/** What the worker answers. */
export interface DriveReply {
  readonly exitCode: number;
  /** The document to print. */
  readonly json: string;
}

/** Drive `subject` with the document on stdin. @returns the exit code */
export async function driveCommand(subject: string, secondsText: string): Promise<number> {
  const seconds = parseInteger(secondsText, '--seconds', 1, MAX_SECONDS);
  if (!SUBJECT_NAMES.includes(subject)) {
    throw new UsageError(`unknown subject '${subject}' (there is ${SUBJECT_NAMES.join(', ')})`);
  }
  const reply = await runSubject(subject, await readStdin(), seconds);
  // A worker in the middle of a host call cannot be stopped: leave without it.
  process.stdout.write(`${reply.json}\n`, () => process.exit(reply.exitCode));
  return reply.exitCode;
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}

/** The worker's reply, or what is to be said when it takes too long or breaks. */
function runSubject(subject: string, input: string, seconds: number): Promise<DriveReply> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./drive-worker.ts', import.meta.url), {
      workerData: { subject, input },
    });
    const finish = (reply: DriveReply): void => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(reply);
    };
    const timer = setTimeout(() => {
      finish(failure(`the run took longer than ${seconds} s (--seconds)`));
    }, seconds * 1000);
    worker.once('message', finish);
    worker.once('error', (error: Error) => finish(failure(`the subject failed: ${error.message}`)));
  });
}

function failure(error: string): DriveReply {
  return { exitCode: EXIT_INPUT, json: JSON.stringify({ error }) };
}
