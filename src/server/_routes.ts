import type { Context, Hono } from "hono";
import { parseKind, type SearchOptions } from "../search/index.js";
import { base64Of, type EmbeddingService } from "./_embedding-service.js";
import { ApiError } from "./_errors.js";
import type { Gate } from "./_gate.js";
import { checked, jsonBody, timed } from "./_middleware.js";
import { askAll, checkLanguages, type Repositories, type Repository } from "./_repositories.js";
import * as schemas from "./_schemas.js";

/** What the routes answer from. */
export interface Parts {
  readonly embeddings: EmbeddingService | undefined;
  readonly repositories: Repositories;
  readonly searches: Gate;
  readonly timeoutMilliseconds: number;
}

/** `/v1/embeddings`, `/v1/models`, `/embed`. */
export function addEmbeddingRoutes(app: Hono, { embeddings, timeoutMilliseconds }: Parts): void {
  const service = (): EmbeddingService => {
    if (embeddings !== undefined) return embeddings;
    throw new ApiError(404, "model_not_found", "this server has no model; start it with --model DIR");
  };
  const note = (context: Context, inputs: number, tokens: number): void => {
    Object.assign(context.var.noted, { inputs, tokens });
  };
  app.get("/v1/models", (context) => {
    const data =
      embeddings === undefined
        ? []
        : [{ id: embeddings.model.name, object: "model" as const, created: 0, owned_by: "lodestone" }];
    return context.json({ object: "list", data });
  });
  app.post("/v1/embeddings", async (context) => {
    const request = await jsonBody(context, schemas.EmbeddingsRequest);
    const own = service();
    const { name } = own.model;
    if (request.model !== undefined && request.model !== name) {
      const message = `model: expected ${name}, got ${request.model.slice(0, 100)}; see /v1/models`;
      throw new ApiError(404, "model_not_found", message, { param: "model" });
    }
    const { vectors, tokens } = await timed(context, timeoutMilliseconds, (signal) =>
      own.embed(request.input, {
        signal,
        ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
      }),
    );
    note(context, vectors.length, tokens);
    const data = vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: request.encoding_format === "base64" ? base64Of(vector) : Array.from(vector),
    }));
    return context.json({ object: "list", data, model: name, usage: { prompt_tokens: tokens, total_tokens: tokens } });
  });
  app.post("/embed", async (context) => {
    const { inputs, truncate, dimensions } = await jsonBody(context, schemas.EmbedRequest);
    const { vectors, tokens } = await timed(context, timeoutMilliseconds, (signal) =>
      service().embed(inputs, {
        signal,
        ...(truncate === undefined ? {} : { truncate }),
        ...(dimensions === undefined ? {} : { dimensions }),
      }),
    );
    note(context, vectors.length, tokens);
    return context.json(vectors.map((vector) => Array.from(vector)));
  });
}

/** `/search`, `/repositories`. */
export function addSearchRoutes(app: Hono, { repositories, searches, timeoutMilliseconds }: Parts): void {
  const answer = async (context: Context, request: schemas.SearchRequest): Promise<Response> => {
    const { query, repository, limit, languages, paths, types, text, explain } = request;
    if (query.length > schemas.MAX_QUERY) {
      const message = `query: expected at most ${schemas.MAX_QUERY} characters, got ${query.length}`;
      throw new ApiError(413, "query_too_long", message, { param: "query" });
    }
    checkLanguages(languages);
    const chosen = repositories.named(repository);
    const options: SearchOptions = {
      limit,
      text,
      explain,
      ...(languages === undefined ? {} : { languages }),
      ...(paths === undefined ? {} : { paths }),
      ...(types === undefined ? {} : { kinds: types }),
    };
    const found = await timed(context, timeoutMilliseconds, (signal) =>
      searches.pass(signal, () => askAll(chosen, limit, (one) => one.search(query, { ...options, signal }))),
    );
    return context.json(found);
  };
  app.post("/search", async (context) => answer(context, await jsonBody(context, schemas.SearchRequest)));
  app.get("/search", (context) => {
    const { q, repository, limit, language, path, type, text, explain } = checked(
      schemas.SearchQuery,
      context.req.query(),
    );
    const request = {
      query: q,
      limit,
      text: text === "true",
      explain: explain === "true",
      ...(repository === undefined ? {} : { repository }),
      ...(language === undefined ? {} : { languages: language }),
      ...(path === undefined ? {} : { paths: path }),
      ...(type === undefined ? {} : { types: type.map(parseKind) }),
    };
    return answer(context, request);
  });
  app.get("/repositories", async (context) =>
    context.json({ repositories: await Promise.all(repositories.all.map(describe)) }),
  );
  app.post("/repositories/:name/reindex", async (context) => {
    const [one] = repositories.named(context.req.param("name"));
    void one!.reindex();
    return context.json(await describe(one!));
  });
}

async function describe(repository: Repository): Promise<Record<string, unknown>> {
  const { files, chunks, languages, skipped, tiers, answersFrom, notes } = await repository.status();
  return {
    name: repository.name,
    ...repository.state,
    files,
    chunks,
    languages,
    skipped: Object.fromEntries(Object.entries(skipped).map(([reason, paths]) => [reason, paths.length])),
    tiers: { static: tiers.static.chunks, full: tiers.full.chunks },
    answersFrom,
    notes,
  };
}
