import { OpenAIEmbeddings } from "@langchain/openai";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEncoder } from "../src/encoder/index.js";
import { temporaryFolder } from "./helpers/cli.js";
import { largestDifference } from "./helpers/encoders.js";
import { newModel, serveFor, type Served } from "./helpers/serving.js";

/** The clients that people have, as they are: nothing of them is changed but the address. */
const temporary = await temporaryFolder("clients");
const TEXTS = ["get user name", "class RequestQueue {}", "push an item"];
const token = "correct horse battery";
let server: Served;
let expected: Float32Array;
let baseURL: string;
beforeAll(async () => {
  const model = await newModel(temporary, "static", [8]);
  server = await serveFor({ model, modelName: "lodestone-code", token });
  baseURL = `${server.url}v1`;
  const encoder = await openEncoder(model, {});
  expected = await encoder.embedAll(TEXTS);
  await encoder.close();
}, 60_000);
afterAll(() => server.close(1));

test("openai: embeddings (it asks for base64 by itself), dimensions, models, errors", async () => {
  const client = new OpenAI({ baseURL, apiKey: token, maxRetries: 0 });
  const model = "lodestone-code";
  for (const encoding_format of [undefined, "float", "base64"] as const) {
    const given = encoding_format === undefined ? {} : { encoding_format };
    const { data, usage } = await client.embeddings.create({ model, input: TEXTS, ...given });
    const vectors = data.map(({ embedding }) =>
      typeof embedding === "string"
        ? [...new Float32Array(new Uint8Array(Buffer.from(embedding as string, "base64")).buffer)]
        : embedding,
    );
    expect(largestDifference(vectors.flat(), expected)).toBeLessThan(1e-6);
    expect(usage.prompt_tokens).toBeGreaterThan(TEXTS.length);
  }
  const short = await client.embeddings.create({ model, input: "x", dimensions: 8 });
  expect(short.data[0]!.embedding).toHaveLength(8);
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model]);
  await expect(client.embeddings.create({ model: "other", input: "x" })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  await expect(client.embeddings.create({ model, input: "x", dimensions: 9 })).rejects.toMatchObject({
    status: 400,
    code: "invalid_dimensions",
    param: "dimensions",
  });
  const stranger = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
});

test("LangChain: documents and queries", async () => {
  const embeddings = new OpenAIEmbeddings({ model: "lodestone-code", apiKey: token, configuration: { baseURL } });
  const documents = await embeddings.embedDocuments(TEXTS);
  expect(largestDifference(documents.flat(), expected)).toBeLessThan(1e-6);
  expect(largestDifference(await embeddings.embedQuery(TEXTS[1]!), documents[1]!)).toBeLessThan(1e-6);
});
