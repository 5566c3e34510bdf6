import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { vector } from "@electric-sql/pglite-pgvector";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openIndex } from "../index.js";
import { storeContract } from "./contract.js";
import { PostgresStore } from "./postgres.js";

const PORT = 20_000 + (process.pid % 20_000);
const url = `postgres://postgres:postgres@127.0.0.1:${PORT}/postgres`;
let database: PGlite;
let server: PGLiteSocketServer;
let client: pg.Client;
let count = 0;

// A real PostgreSQL with pgvector, spoken to over its own protocol by the usual client.
beforeAll(async () => {
  database = await PGlite.create({ extensions: { vector } });
  server = new PGLiteSocketServer({ db: database, port: PORT, host: "127.0.0.1" });
  await server.start();
  client = new pg.Client({ connectionString: url });
  await client.connect();
}, 120_000);
afterAll(async () => {
  await client.end();
  await server.stop();
  await database.close();
});

describe("PostgreSQL", () => {
  const named = new Map<object, string>();
  storeContract(
    async () => {
      const name = `repository ${count++}`;
      const store = await PostgresStore.over(client, name);
      named.set(store, name);
      return store;
    },
    (store) => PostgresStore.over(client, named.get(store)!),
  );

  test("repositories do not see each other; a failed change leaves the old state", async () => {
    const one = await PostgresStore.over(client, "one");
    await openIndex(new URL("..", import.meta.url).pathname, { store: one });
    const held = await one.counts();
    expect(held.chunks).toBeGreaterThan(50);
    const two = await PostgresStore.over(client, "two");
    expect(await two.counts()).toMatchObject({ files: 0, chunks: 0 });
    const bad = { meta: { chunker: 1, models: {} }, put: [], remove: [{ not: "text" }, "\0"] as unknown as string[] };
    await expect(one.apply(bad)).rejects.toThrow();
    expect(await one.counts()).toEqual(held);
  });
});

test("an address where nobody listens is refused with what to do", async () => {
  await expect(PostgresStore.connect("postgres://127.0.0.1:1/x", "r")).rejects.toMatchObject({
    code: "search.postgres",
  });
});
