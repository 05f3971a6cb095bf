/**
 * Threads of either kind of host, made alike: the `Worker` of Node and that of browsers differ in
 * how one listens to them. An app makes the worker, because its tools want to see where.
 */

import type { CoreJob, CoreMessage } from './messages.ts';

/** The thread of a core, as the main thread has it. */
export interface CoreThread {
  begin(job: CoreJob): void;
  /** Called for each message of the core. */
  onMessage(listen: (message: CoreMessage) => void): void;
  /** Called when the thread could not be made, or has died; maybe also when it has just ended. */
  onError(listen: (error: unknown) => void): void;
  /** End it, whatever it does. */
  terminate(): Promise<void>;
}

/** The main thread, as that of a core has it. */
export interface MainThread {
  /** Called with what the thread is to be, each time that it is to be something. */
  onJob(begin: (job: CoreJob) => void): void;
  post(message: CoreMessage): void;
  /** Nothing will be said any more. */
  close(): void;
}

/** What is used of a `Worker` of Node. */
export interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: string, listen: (value: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

/** What is used of a `Worker` of a browser. */
export interface WebWorker {
  postMessage(message: unknown): void;
  addEventListener(event: 'message' | 'error', listen: (event: never) => void): void;
  terminate(): void;
}

/** What is used of `parentPort` in a worker of Node. */
export interface NodePort {
  postMessage(message: unknown): void;
  on(event: string, listen: (value: unknown) => void): unknown;
  close(): void;
}

/** What is used of `self` in a worker of a browser. */
export interface WebScope {
  postMessage(message: unknown): void;
  addEventListener(event: 'message', listen: (event: never) => void): void;
  close(): void;
}

export function nodeThread(worker: NodeWorker): CoreThread {
  return {
    begin: (job) => worker.postMessage(job),
    onMessage: (listen) => void worker.on('message', (value) => listen(value as CoreMessage)),
    onError: (listen) => {
      worker.on('error', listen);
      worker.on('exit', (code) => listen(new Error(`the thread has ended with code ${code}`)));
    },
    terminate: async () => void (await worker.terminate()),
  };
}

export function webThread(worker: WebWorker): CoreThread {
  return {
    begin: (job) => worker.postMessage(job),
    onMessage: (listen) =>
      worker.addEventListener('message', ({ data }: { data: CoreMessage }) => listen(data)),
    onError: (listen) =>
      worker.addEventListener('error', ({ error, message }: ErrorEventLike) =>
        listen(error ?? new Error(message ?? 'the worker cannot be loaded')),
      ),
    terminate: () => Promise.resolve(worker.terminate()),
  };
}

interface ErrorEventLike {
  readonly error?: unknown;
  readonly message?: string;
}

/** @param port `parentPort` of `node:worker_threads` */
export function nodeMain(port: NodePort): MainThread {
  return {
    onJob: (begin) => void port.on('message', (value) => begin(value as CoreJob)),
    post: (message) => port.postMessage(message),
    close: () => port.close(),
  };
}

/** @param scope `self` */
export function webMain(scope: WebScope): MainThread {
  return {
    onJob: (begin) =>
      scope.addEventListener('message', ({ data }: { data: CoreJob }) => begin(data)),
    post: (message) => scope.postMessage(message),
    close: () => scope.close(),
  };
}
