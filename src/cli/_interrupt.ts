/** What a shell reports for a process that Ctrl-C ended. */
export const INTERRUPTED = 130;

/**
 * The first Ctrl-C (or SIGTERM) aborts the signal, so that the work stops behind the write in hand; the second ends the
 * process at once.
 */
export function interruptible(say: (line: string) => void): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
    say("stopping after the work in hand; press Ctrl-C again to stop at once");
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
