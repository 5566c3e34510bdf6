"""Where ONNX Runtime's time goes in a program: the share of each operator, by its own profiler.

Protocol: the first line is the job as JSON, `{model, tensors, threads, steps}` (paths of an ONNX file and of a safetensors
file with every input); the reply is `{"ready": {...}}`, then to any line `{"seconds": S, "ops": {...}, "top": [...]}`.
"""

import collections
import json
import os
import sys
import tempfile

import onnxruntime as ort
from safetensors.numpy import load_file


def main():
    job = json.loads(sys.stdin.readline())
    print(json.dumps({"ready": {"onnxruntime": ort.__version__}}), flush=True)
    sys.stdin.readline()
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.intra_op_num_threads = job["threads"]
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL  # As our engine has it.
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(folder, "profile")
        session = ort.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
        tensors = load_file(job["tensors"])
        feeds = {each.name: tensors[each.name] for each in session.get_inputs()}
        for _ in range(job["steps"]):
            session.run(None, feeds)
        with open(session.end_profiling(), encoding="utf8") as file:
            events = json.load(file)
    ops, nodes = collections.Counter(), collections.Counter()
    for event in events:
        name = event.get("args", {}).get("op_name")
        if event.get("cat") == "Node" and name and event["name"].endswith("_kernel_time"):
            ops[name] += event["dur"] / 1e6
            nodes[event["name"].removesuffix("_kernel_time")] += event["dur"] / 1e6
    total = sum(ops.values())
    answer = {
        "seconds": total / job["steps"],
        "ops": {name: round(value / total, 4) for name, value in ops.most_common(25)},
        "top": [[name, round(value / total, 4)] for name, value in nodes.most_common(12)],
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
