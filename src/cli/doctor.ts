import { readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LANGUAGES, messageOf, UserError } from "../base/index.js";
import {
  describeHardware,
  describeTorch,
  INSTRUCTION_SETS,
  torchEngineFolder,
  tryProviders,
  type Hardware,
} from "../engine/index.js";
import { loadLanguage } from "../languages/index.js";

/** `ok`: usable; `missing`: not, and training works without it; `wrong`: to be mended; `unknown`: could not be told. */
export type FindingState = "ok" | "missing" | "wrong" | "unknown";

/** One line of the doctor's report. */
export interface Finding {
  readonly what: string;
  readonly state: FindingState;
  readonly detail: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** Looks at everything that Lodestone uses. Never throws: what fails is a finding. */
export async function examine(): Promise<Finding[]> {
  const hardware = await describeHardware();
  const parts = await Promise.all([onnxruntime(), torch(hardware), grammars(), cache()]);
  return [...node(), ...machine(hardware), ...parts.flat()];
}

const OLDEST_NODE = 20;

function node(): Finding[] {
  const major = Number(process.versions.node.split(".")[0]);
  const detail = `${process.version} on ${process.platform} ${process.arch}`;
  return [
    major >= OLDEST_NODE
      ? { what: "Node.js", state: "ok", detail }
      : { what: "Node.js", state: "wrong", detail, fix: `Install Node.js ${OLDEST_NODE} or newer` },
  ];
}

function machine(hardware: Hardware): Finding[] {
  const { cpu, cores, memoryBytes, availableBytes, instructionSets, nvidia } = hardware;
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const free = availableBytes === undefined ? "free memory unknown" : `${gib(availableBytes)} available`;
  const found: Finding[] = [
    { what: "processor", state: "ok", detail: `${cpu}, ${cores} thread${cores === 1 ? "" : "s"}` },
    { what: "memory", state: "ok", detail: `${gib(memoryBytes)}, ${free}` },
  ];
  if (instructionSets === undefined) {
    found.push({ what: "instruction sets", state: "unknown", detail: "this system does not tell" });
  } else {
    const names = INSTRUCTION_SETS.filter((name) => instructionSets[name]);
    found.push({
      what: "instruction sets",
      state: "ok",
      detail: names.length === 0 ? "none of note" : names.join(", "),
    });
    const bf16 = instructionSets.AMX || instructionSets.AVX512_BF16;
    found.push(
      bf16
        ? { what: "bf16 on the CPU", state: "ok", detail: instructionSets.AMX ? "in hardware (AMX)" : "in hardware" }
        : {
            ...{ what: "bf16 on the CPU", state: "missing", detail: "no instructions for it: bf16 would be slower" },
            fix: "Keep --precision fp32 on the CPU",
          },
    );
  }
  if (nvidia === undefined) {
    found.push({
      ...{ what: "NVIDIA GPU", state: "unknown", detail: "nvidia-smi is there and fails" },
      fix: "Run nvidia-smi and mend what it says, often the driver",
    });
  } else if (nvidia.length === 0) {
    found.push({ what: "NVIDIA GPU", state: "missing", detail: "no nvidia-smi, so no driver" });
  }
  for (const { name, memoryMiB, driver } of nvidia ?? []) {
    found.push({ what: "NVIDIA GPU", state: "ok", detail: `${name}, ${memoryMiB} MiB, driver ${driver}` });
  }
  return found;
}

async function onnxruntime(): Promise<Finding[]> {
  const states = await tryProviders();
  return states.map(({ name, usable, reason = "" }): Finding => {
    const what = `onnxruntime: ${name}`;
    if (usable) return { what, state: "ok", detail: "a product on it gave the right numbers" };
    if (name !== "cpu") return { what, state: "missing", detail: short(reason) };
    return { what, state: "wrong", detail: short(reason), fix: "Install the package again: npm install lodestone" };
  });
}

async function torch({ nvidia }: Hardware): Promise<Finding[]> {
  try {
    const { executable, python, torch: version, cuda, gpus, threads } = await describeTorch();
    const found: Finding[] = [
      {
        ...{ what: "torch engine", state: "ok" },
        detail: `PyTorch ${version}, Python ${python} (${executable}), ${threads} threads`,
      },
    ];
    if (gpus.length > 0) found.push({ what: "torch engine: cuda", state: "ok", detail: gpus.join(", ") });
    else if ((nvidia?.length ?? 0) > 0) {
      found.push({
        ...{ what: "torch engine: cuda", state: "wrong" },
        detail: cuda === null ? "this PyTorch is built without CUDA" : `it is built for CUDA ${cuda} and finds no GPU`,
        fix:
          cuda === null
            ? "Run lodestone engine torch --install --cuda"
            : "Update the GPU's driver, or install a PyTorch for an older CUDA with --index-url",
      });
    }
    return found;
  } catch (error) {
    const absent =
      error instanceof UserError && error.code === "engine.python" && process.env["LODESTONE_PYTHON"] === undefined;
    return [
      {
        ...{ what: "torch engine", state: absent ? "missing" : "wrong", detail: short(messageOf(error)) },
        fix: error instanceof UserError && error.fix !== undefined ? error.fix : "Run lodestone engine torch --install",
      },
    ];
  }
}

async function grammars(): Promise<Finding[]> {
  const broken: string[] = [];
  for (const lang of LANGUAGES) {
    await loadLanguage(lang).catch((error: unknown) => broken.push(`${lang} (${short(messageOf(error))})`));
  }
  const what = "grammars";
  return [
    broken.length === 0
      ? { what, state: "ok", detail: `${LANGUAGES.length} languages load` }
      : { what, state: "wrong", detail: broken.join("; "), fix: "Install the package again: npm install lodestone" },
  ];
}

async function cache(): Promise<Finding[]> {
  const folder = dirname(torchEngineFolder());
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return [{ what: "cache", state: "ok", detail: `${folder}: empty` }];
  const sizes = await Promise.all(names.map(async (name) => `${name} ${megabytes(await sizeOf(join(folder, name)))}`));
  const free = await statfs(folder).then(
    ({ bavail, bsize }) => `, ${megabytes(bavail * bsize)} free`,
    () => "",
  );
  return [
    { what: "cache", state: "ok", detail: `${folder}: ${sizes.length === 0 ? "empty" : sizes.join(", ")}${free}` },
  ];
}

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = entries.length === 0 ? await sizeOfFile(path) : 0;
  for (const entry of entries) if (entry.isFile()) bytes += await sizeOfFile(join(entry.parentPath, entry.name));
  return bytes;
}

function sizeOfFile(path: string): Promise<number> {
  return stat(path).then(
    (info) => (info.isFile() ? info.size : 0),
    () => 0,
  );
}

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function short(text: string): string {
  const line = text.split("\n")[0]!;
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
