import * as ort from "onnxruntime-node";
import { UserError, messageOf } from "../../base/index.js";

/** The execution providers that this build of ONNX Runtime brings along. */
export function availableProviders(): string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

/** @throws UserError `engine.provider`, listing what is available */
export function checkProvider(provider: string): void {
  const available = availableProviders();
  if (!available.includes(provider)) throw unavailable(provider, "which is not part of this ONNX Runtime");
}

/** The error for a provider that is there but does not start (no such device, a missing driver). */
export function providerFailed(provider: string, error: unknown): UserError {
  return unavailable(provider, `which did not start: ${firstLine(messageOf(error))}`, error);
}

function unavailable(provider: string, why: string, cause?: unknown): UserError {
  const available = availableProviders().join(", ");
  return new UserError("engine.provider", `provider: expected one of ${available}, got "${provider}", ${why}`, {
    fix: "cpu works everywhere",
    cause,
  });
}

/** What ONNX Runtime's message says: its first line, without the place in its sources and the condition in front. */
export function firstLine(message: string): string {
  const [line] = message.split("\n", 1);
  return line!.replace(/^\/\S+\.(cc|h):\d+ .*? was false\.\s*/, "").trim();
}
