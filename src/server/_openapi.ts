import { z } from "zod";
import * as schemas from "./_schemas.js";

/** A route as the document tells of it. */
export interface RouteDescription {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
  /** Names in the path. */
  readonly parameters?: readonly string[];
  /** undefined: not JSON. */
  readonly answer?: z.ZodType;
  /** Answers without a token, too. */
  readonly open?: boolean;
}

/** Every route for programs. */
export const ROUTES: readonly RouteDescription[] = [
  {
    method: "post",
    path: "/v1/embeddings",
    summary: "Vectors of texts, as OpenAI's clients ask for them",
    body: schemas.EmbeddingsRequest,
    answer: schemas.EmbeddingsAnswer,
  },
  { method: "get", path: "/v1/models", summary: "The model", answer: schemas.ModelsAnswer },
  {
    method: "post",
    path: "/embed",
    summary: "Vectors of texts, as clients of text-embeddings-inference ask for them",
    body: schemas.EmbedRequest,
    answer: schemas.EmbedAnswer,
  },
  { method: "get", path: "/info", summary: "The model and the limits", answer: schemas.InfoAnswer },
  { method: "get", path: "/health", summary: "Whether it answers", answer: schemas.HealthAnswer, open: true },
  { method: "get", path: "/metrics", summary: "Counters in Prometheus' text format" },
  {
    method: "post",
    path: "/search",
    summary: "Places in the repositories that answer a query",
    body: schemas.SearchRequest,
    answer: schemas.SearchAnswer,
  },
  {
    method: "get",
    path: "/search",
    summary: "The same by a query string",
    query: schemas.SearchQuery,
    answer: schemas.SearchAnswer,
  },
  {
    method: "get",
    path: "/repositories",
    summary: "What is indexed, and how far",
    answer: schemas.RepositoriesAnswer,
  },
  {
    method: "post",
    path: "/repositories/{name}/reindex",
    summary: "Takes up what changed in a repository; it goes on behind the answer",
    parameters: ["name"],
    answer: schemas.RepositoryAnswer,
  },
];

/** The OpenAPI 3.1 document, made from the schemas that requests are checked against. */
export function openApiDocument(version: string): Record<string, unknown> {
  const components: Record<string, unknown> = {};
  const reference = (schema: z.ZodType, io: "input" | "output"): unknown => {
    const text = JSON.stringify(z.toJSONSchema(schema, { io })).replaceAll("#/$defs/", "#/components/schemas/");
    const { $schema, $defs, id, ...own } = JSON.parse(text) as Record<string, unknown> & {
      $defs?: Record<string, unknown>;
    };
    void $schema;
    for (const [name, definition] of Object.entries($defs ?? {})) components[name] ??= withoutId(definition);
    if (typeof id !== "string") return own;
    components[id] ??= own;
    return { $ref: `#/components/schemas/${id}` };
  };
  const content = (schema: unknown) => ({ "application/json": { schema } });
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, summary, body, query, parameters = [], answer, open } of ROUTES) {
    const inPath = parameters.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
    const ok =
      answer === undefined
        ? { description: summary, content: { "text/plain": { schema: { type: "string" } } } }
        : { description: summary, content: content(reference(answer, "output")) };
    (paths[path] ??= {})[method] = {
      summary,
      ...(query === undefined && inPath.length === 0
        ? {}
        : { parameters: [...inPath, ...(query === undefined ? [] : queryParameters(query))] }),
      ...(body === undefined ? {} : { requestBody: { required: true, content: content(reference(body, "input")) } }),
      responses: {
        "200": ok,
        default: {
          description: "A refusal: 400, 401, 403, 404, 408, 413, 415, 429, 500 or 503",
          content: content(reference(schemas.ErrorAnswer, "output")),
        },
      },
      ...(open === true ? { security: [] } : {}),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "lodestone serve", version, description: "Embeddings and code search on this machine" },
    paths,
    components: { schemas: components, securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }, {}],
  };
}

/** zod names a schema inside of it, too, which OpenAPI knows only as its key. */
function withoutId(definition: unknown): unknown {
  const { id, ...rest } = definition as Record<string, unknown>;
  void id;
  return rest;
}

function queryParameters(schema: z.ZodObject): unknown[] {
  const json = z.toJSONSchema(schema, { io: "input" }) as {
    properties: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(json.properties).map(([name, { description, ...rest }]) => ({
    name,
    in: "query",
    required: json.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}
