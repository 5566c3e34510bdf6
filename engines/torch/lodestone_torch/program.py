"""A program: an ONNX model whose inputs are batch and state, whose outputs are results and the next state.

Loading turns its nodes into a few Python functions, one line per instruction; running calls them. Autograd takes the
gradients where the program has a `Gradient` node. The next value of state `w` is the output `next/w`.
"""

import linecache
from dataclasses import dataclass, field

import torch
from torch.utils.checkpoint import checkpoint as checkpoint_of

from . import ops  # noqa: F401 -- registers the builders
from .builder import Builder, Segment, Value, scope_of
from .errors import EngineError
from .model_reader import read_model
from .ops.optimizer import fused_adamw, settings_of
from .precision import LossScaler, low_type

NEXT = "next/"


def own(node, name):
    """Whether a node is of our own domain and of that type."""
    return node.domain == "lodestone" and node.op == name


@dataclass
class Code:
    """A segment made into a function."""

    function: object
    inputs: list
    outputs: list
    grad: bool
    #: Values that nothing needs after it.
    dead: list = field(default_factory=list)


@dataclass
class Gradient:
    loss: Value
    wrt: list
    results: list
    seed: object
    dead: list = field(default_factory=list)


class Program:
    """See the module. `inputs` names batch and state together; a tensor is looked for in the state first."""

    @staticmethod
    def load(data, device="cpu", precision="fp32", checkpoint=False, compile=False):
        """The program in the bytes of an ONNX model.

        `checkpoint` computes the layers of the network again in the backward pass instead of keeping what is in them.
        `compile` hands the functions to torch.compile.

        Raises EngineError `engine.model`, `engine.op` (names the op), `engine.precision`.
        """
        return Program(read_model(data), torch.device(device), precision, checkpoint, compile)

    def __init__(self, model, device, precision, checkpoint, compile):
        low = low_type(precision)
        self.name, self.device = model.name, device
        self.inputs = list(model.inputs)
        self.outputs = [name for name in model.outputs if not name.startswith(NEXT)]
        self.updates = {name[len(NEXT) :]: name for name in model.outputs if name.startswith(NEXT)}
        self.scaler = LossScaler() if precision == "fp16" else None
        self._compile, self._checkpoint = compile, checkpoint
        self._lines = {}
        self._builder = b = Builder(model, device, low)
        self._adamw, self._additions = [], []
        self._plan = []
        self._wrt = set()
        self._build(b, model)
        self._stages = self._assemble(b)

    # --- loading ---

    def _build(self, b, model):
        nodes = model.nodes
        makers = {name: index for index, node in enumerate(nodes) for name in node.outputs}
        updated = [index for index, node in enumerate(nodes) if own(node, "AdamW")]
        additions = self._find_additions(model)
        last = set(updated) | additions
        done = set()
        for index, node in enumerate(nodes):
            if not own(node, "Gradient"):
                continue
            self._segment(b, nodes, sorted(ancestors(nodes, makers, node.inputs) - done), True, done)
            self._gradient(b, node)
            done.add(index)
        self._segment(b, nodes, [i for i in range(len(nodes)) if i not in done and i not in last], False, done)
        for index in updated:
            self._add_adamw(b, nodes[index])
        for index in sorted(additions):
            node = nodes[index]
            state = node.outputs[0][len(NEXT) :]
            other = next(name for name in node.inputs if name != state)
            b.node = node
            self._additions.append((state, b.high(b.tensor(b.value(other)))))

    def _segment(self, b, nodes, indices, grad, done):
        segment = b.segment = Segment(grad)
        for index in indices:
            node = nodes[index]
            if own(node, "Gradient"):
                raise EngineError("engine.model", f"{self.name}: expected first derivatives, got a gradient of one")
            b.build(node)
            done.add(index)
        self._plan.append(segment)

    def _gradient(self, b, node):
        seeded = node.attributes["seeded"]
        b.node = node
        values = [b.high(b.tensor(value)) if position <= seeded else value for position, value in enumerate(b.inputs())]
        wrt = values[1 + seeded :]
        results = [b._new(view=True) for _ in node.outputs]
        self._wrt.update(value for value in wrt)
        self._plan.append(Gradient(values[0], wrt, results, values[1] if seeded else None))
        b.result(*results)

    def _find_additions(self, model):
        """Updates `state + x` that nothing else reads: done in place."""
        read = {name for node in model.nodes for name in node.inputs}
        found = set()
        for index, node in enumerate(model.nodes):
            if node.op != "Add" or node.domain != "" or len(set(node.inputs)) != 2:
                continue
            output = node.outputs[0]
            if output.startswith(NEXT) and output not in read and output[len(NEXT) :] in node.inputs:
                found.add(index)
        return found

    def _add_adamw(self, b, node):
        b.node = node
        values, settings = settings_of(b, node)
        names = [node.inputs[0], node.inputs[2], node.inputs[3]]
        if node.outputs != [NEXT + name for name in names]:
            raise EngineError("engine.model", f"{self.name}: expected AdamW to update its own inputs ({node.name})")
        self._adamw.append((settings, *names, values[1]))
        for name in names:
            self.updates.pop(name)

    def _assemble(self, b):
        """Functions of the segments, and what may be freed after each."""
        for state, _ in self._additions:
            self.updates.pop(state)
        self._results = {name: b.value(name) for name in [*self.outputs, *self.updates.values()]}
        later = set(self._results.values())
        for settings, *_, gradient in self._adamw:
            later |= {gradient, settings.step, settings.learning_rate, settings.scale}
        later |= {value for _, value in self._additions}
        stages = []
        for part in reversed(self._plan):
            if isinstance(part, Gradient):
                used = {part.loss, *part.wrt, part.seed}
                stage = part
            else:
                stage = self._code(b, part, later)
                used = set(stage.inputs)
            stage.dead = [value for value in used if value is not None and value not in later]
            later = later | used
            stages.append(stage)
        return stages[::-1]

    def _code(self, b, segment, later):
        """A function of the segment's instructions."""
        instructions = [*segment.early, *segment.main]
        made = {value for instruction in instructions for value in instruction.outputs}
        outputs = [value for value in made if value in later]
        outputs.sort(key=lambda value: value.id)
        inputs = free_values(instructions, made)
        file = f"<program {self.name} {len(self._lines)}>"
        lines = Lines(file)
        body = self._blocks(lines, instructions, set(outputs)) if self._checkpoint and segment.grad else instructions
        lines.function("segment", inputs, body, outputs, self._wrt)
        scope = b.globals | {"checkpoint": checkpoint_of, "grad_ready": grad_ready}
        text = "\n".join(lines.text) + "\n"
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        exec(compile(text, file, "exec"), scope)
        self._lines[file] = lines.nodes
        function = scope["segment"]
        if self._compile:
            function = torch.compile(function, dynamic=None)
        return Code(function, inputs, outputs, segment.grad)

    def _blocks(self, lines, instructions, outputs):
        """Instructions with those of each layer made into a function that is called under checkpointing."""
        runs = []
        for instruction in instructions:
            if runs and instruction.block and runs[-1][0] == instruction.block:
                runs[-1][1].append(instruction)
            else:
                runs.append((instruction.block, [instruction]))
        body = []
        for index, (block, part) in enumerate(runs):
            if not block:
                body.extend(part)
                continue
            rest = {value for _, after in runs[index + 1 :] for instruction in after for value in instruction.inputs}
            made = [value for instruction in part for value in instruction.outputs]
            inputs = free_values(part, set(made))
            results = [value for value in made if value in rest or value in outputs]
            name = f"block_{index}"
            lines.function(name, inputs, part, results, self._wrt)
            slots = "".join(f", {{{position}}}" for position in range(len(inputs)))
            code = f"checkpoint({name}{slots}, use_reentrant=False, preserve_rng_state=False)"
            call = type(part[0])(code + ("[0]" if len(results) == 1 else ""), inputs, results, part[0].node)
            body.append(call)
        return body

    # --- running ---

    def run(self, state, batch):
        """Runs the program on a batch and updates the state; gives the outputs.

        A failed run leaves the state as it was. AdamW and accumulators change the state's tensors in place, other
        updates put new tensors into the dict.

        Raises EngineError `engine.run` (names the node), `engine.memory`.
        """
        try:
            env = self._compute(state, batch)
            outputs = {name: self._result(env, name) for name in self.outputs}
            self._commit(state, batch, env)
            return outputs
        except EngineError:
            raise
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
            raise self._explain(error) from error

    def _compute(self, state, batch):
        tensors = {}
        for name in self.inputs:
            value = self._builder.values[name]
            tensor = state[name] if name in state else batch[name].to(self.device, non_blocking=True)
            tensors[value] = tensor.detach().requires_grad_() if value in self._wrt else tensor
        while True:
            env = dict(tensors)
            if all(self._advance(stage, env) for stage in self._stages):
                return env

    def _advance(self, stage, env):
        """Runs a stage; False if an overflow asks for the whole run again."""
        if isinstance(stage, Gradient):
            finite = self._differentiate(stage, env)
        else:
            finite = True
            arguments = [env[value] for value in stage.inputs]
            with torch.set_grad_enabled(stage.grad):
                results = stage.function(*arguments)
            del arguments
            env.update(zip(stage.outputs, results))
        for value in stage.dead:
            env.pop(value, None)
        return finite

    def _differentiate(self, stage, env):
        loss = env[stage.loss]
        wrt = [env[value] for value in stage.wrt]
        seed = None if stage.seed is None else env[stage.seed]
        if self.scaler is not None:
            loss = loss * self.scaler.scale
        if loss.requires_grad:
            kept = any(isinstance(part, Gradient) for part in self._plan[self._plan.index(stage) + 1 :])
            found = torch.autograd.grad(loss, wrt, seed, retain_graph=kept, allow_unused=True)
        else:
            found = [None] * len(wrt)
        results = [
            torch.zeros_like(tensor) if gradient is None else gradient.contiguous()
            for tensor, gradient in zip(wrt, found)
        ]
        if self.scaler is not None:
            results = [gradient / self.scaler.scale for gradient in results]
            finite = all(bool(torch.isfinite(gradient).all()) for gradient in results)
            if not self.scaler.accept(finite):
                return False
        env.update(zip(stage.results, results))
        return True

    def _result(self, env, name):
        """An output as a tensor of its own."""
        value, (dtype, _) = self._results[name], self._builder.model.outputs[name]
        if value.kind != "tensor":
            return torch.as_tensor(value.known if value.text else env[value]).to(dtype)
        result = env[value] if value in env else self._builder.globals[value.name]
        result = result.detach()
        if value.low:
            return result.float()
        return result.contiguous().clone() if value.view else result

    def _commit(self, state, batch, env):
        """The only part that changes the state."""
        fresh = {name: self._result(env, output) for name, output in self.updates.items()}
        groups = {}
        for settings, parameter, first, second, gradient in self._adamw:
            lists = groups.setdefault(settings, ([], [], [], []))
            for part, tensor in zip(lists, (state[parameter], env[gradient], state[first], state[second])):
                part.append(tensor.detach())
        rates = {}
        with torch.no_grad():
            for settings, lists in groups.items():
                rate = settings.learning_rate
                if rate not in rates:
                    rates[rate] = self._number(rate, batch, env)
                scale = None if settings.scale is None else env[settings.scale]
                fused_adamw(settings, *lists, env[settings.step], rates[rate], scale)
            for name, value in self._additions:
                addend = env[value] if value in env else self._builder.globals[value.name]
                if addend.dim() == 0 or addend.shape == state[name].shape:
                    state[name].add_(addend)
                else:
                    state[name] = state[name] + addend
        state.update(fresh)

    def _number(self, value, batch, env):
        """A scalar as a Python number; one of the batch is read where it came from, without waiting for the device."""
        for name in batch:
            if self._builder.values.get(name) is value:
                return float(batch[name])
        return float(env[value])

    def _explain(self, error):
        """The error in one line that names the node."""
        first = str(error).strip().split("\n")[0]
        node = self._node_of(error)
        place = f" (at {node.op}, {node.name})" if node is not None else ""
        memory = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in first
        if memory:
            return EngineError(
                "engine.memory",
                f"program \"{self.name}\": expected enough memory, got: {first}{place}",
                "Give smaller batches, or chunks (training.chunk), or engine option checkpoint",
            )
        kind = type(error).__name__
        message = f"program \"{self.name}\": expected it to run, got: {kind}: {first}{place}"
        return EngineError("engine.run", message)

    def _node_of(self, error):
        found, frame = None, error.__traceback__
        while frame is not None:
            nodes = self._lines.get(frame.tb_frame.f_code.co_filename)
            if nodes is not None:
                found = nodes.get(frame.tb_lineno, found)
            frame = frame.tb_next
        return found


class Lines:
    """The text of a module, and which node each line belongs to."""

    def __init__(self, file):
        self.file, self.text, self.nodes = file, [], {}

    def function(self, name, inputs, body, outputs, wrt):
        """A function over values; variables are deleted after their last use."""
        last = {value: index for index, instruction in enumerate(body) for value in instruction.inputs}
        self.text.append(f"def {name}({', '.join(value.name for value in inputs)}):")
        kept = set(outputs)
        for index, instruction in enumerate(body):
            targets = ", ".join(value.name for value in instruction.outputs)
            line = f"    {targets} = " + instruction.code.format(*(value.name for value in instruction.inputs))
            for value in instruction.outputs:
                if value in wrt:
                    line += f"; {value.name} = grad_ready({value.name})"
            unread = [value for value in instruction.outputs if value not in last and value not in kept]
            ended = [value for value, at in last.items() if at == index and not value.text and value not in kept]
            dead = dict.fromkeys([*unread, *ended])
            if dead:
                line += "; del " + ", ".join(value.name for value in dead)
            self.text.append(line)
            self.nodes[len(self.text)] = instruction.node
        self.text.append(f"    return ({''.join(value.name + ', ' for value in outputs)})")


def free_values(instructions, made):
    """Values that come from outside, in order of first use."""
    seen = dict.fromkeys(value for instruction in instructions for value in instruction.inputs)
    return [value for value in seen if value not in made and not value.text]


def ancestors(nodes, makers, names):
    """Indices of the nodes that some values need."""
    found, waiting = set(), list(names)
    while waiting:
        index = makers.get(waiting.pop())
        if index is not None and index not in found:
            found.add(index)
            waiting.extend(nodes[index].inputs)
    return found


def grad_ready(tensor):
    """A tensor that gradients can be taken for."""
    return tensor if tensor.requires_grad else tensor.detach().requires_grad_()
