/** Runs a function over items, at most `jobs` at a time, and yields the results as they come. The first error ends it. */
export async function* inParallel<T, R>(
  items: readonly T[],
  jobs: number,
  run: (item: T) => Promise<R>,
): AsyncGenerator<R, void, void> {
  const running = new Set<Promise<{ self: Promise<unknown>; value: R }>>();
  let next = 0;
  try {
    while (next < items.length || running.size > 0) {
      while (next < items.length && running.size < jobs) {
        const started: Promise<{ self: Promise<unknown>; value: R }> = run(items[next++]!).then((value) => ({
          self: started,
          value,
        }));
        running.add(started);
      }
      const { self, value } = await Promise.race(running);
      running.delete(self as typeof running extends Set<infer P> ? P : never);
      yield value;
    }
  } finally {
    await Promise.allSettled(running); // Nothing goes on behind the caller's back.
  }
}
