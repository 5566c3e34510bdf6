"""Runs Lodestone's training programs (ONNX) with PyTorch's kernels and autograd; needs Python and torch only."""
