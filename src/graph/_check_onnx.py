"""Oracle: the ONNX project's own checker, with shape inference, on the models named on the command line."""
import sys

import onnx

for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    print(path.rsplit("/", 1)[-1], model.ir_version, [(o.domain, o.version) for o in model.opset_import])
