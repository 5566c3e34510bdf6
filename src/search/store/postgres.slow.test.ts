import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { vector } from "@electric-sql/pglite-pgvector";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openIndex } from "../index.js";
import { storeContract } from "./contract.js";
import { PostgresStore } from "./postgres.js";

/** A server of the user's own, with pgvector; without one, PostgreSQL in WebAssembly behind a socket. */
const GIVEN = process.env["LODESTONE_TEST_POSTGRES"];
const PORT = 20_000 + (process.pid % 20_000);
const url = GIVEN ?? `postgres://postgres:postgres@127.0.0.1:${PORT}/postgres`;
const schema = `lodestone_test_${process.pid}`;
let stop: () => Promise<void>;
let client: pg.Client;
let count = 0;

// A real PostgreSQL with pgvector, spoken to over its own protocol by the usual client.
beforeAll(async () => {
  stop = GIVEN === undefined ? await startPGlite() : () => Promise.resolve();
  client = new pg.Client({ connectionString: url });
  await client.connect();
  // Nothing of ours stays in a database that is somebody's.
  await client.query("create extension if not exists vector");
  await client.query(`create schema ${schema}; set search_path to ${schema}, public`);
}, 120_000);
afterAll(async () => {
  await client.query(`drop schema ${schema} cascade`);
  await client.end();
  await stop();
});

async function startPGlite(): Promise<() => Promise<void>> {
  const database = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db: database, port: PORT, host: "127.0.0.1" });
  await server.start();
  return async () => {
    await server.stop();
    await database.close();
  };
}

describe(GIVEN === undefined ? "PostgreSQL (PGlite)" : "PostgreSQL (LODESTONE_TEST_POSTGRES)", () => {
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
