/** What a shell reports for a process that Ctrl-C ended. */
export const INTERRUPTED = 130;

/**
 * The first Ctrl-C (or SIGTERM) aborts the signal, so that the work stops behind the write in hand; the second ends the
 * process at once.
 */
export function interruptible(say: (line: string) => void): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      dieOf(signal);
      return;
    }
    controller.abort();
    say("stopping after the work in hand; press Ctrl-C again to stop at once");
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

/**
 * Ends as if the signal had never been caught; a shell reports 130 for SIGINT. `process.exit` would wait for a native
 * call that an engine's thread is in, and that call, finding its JavaScript gone when it returns, would abort the
 * process with a message of its own.
 */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Resolves when the signal is aborted: for commands that serve until Ctrl-C. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
