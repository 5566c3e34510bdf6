"""An embedding server as one writes it in Python: FastAPI on uvicorn (uvloop, httptools), OpenAI's route, dynamic batches.

The job names the model folder and what runs it: `sentence-transformers` (PyTorch, the folder as it is) or `onnxruntime` (the
folder's ONNX file with the tokenizers library, vectors as the file gives them). Requests that wait are run together, at most
BATCH texts, sorted by length by the library; bodies go through orjson. It answers with its port, and ends with its input.
"""

import asyncio
import base64
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

BATCH = 64


def sentence_transformers(folder):
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    model.eval()

    def encode(texts):
        with torch.inference_mode():
            return model.encode(texts, batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True)

    return encode


def onnx_runtime(folder):
    import onnxruntime
    from tokenizers import Tokenizer

    config = json.load(open(folder + "/config.json"))
    tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.enable_truncation(config["lodestone"]["model"]["maxLength"])
    tokenizer.enable_padding(pad_id=config["pad_token_id"], pad_token="<pad>")
    session = onnxruntime.InferenceSession(folder + "/model.onnx", providers=["CPUExecutionProvider"])

    def encode(texts):
        batch = tokenizer.encode_batch(texts)
        feed = {
            "input_ids": np.array([one.ids for one in batch], np.int64),
            "attention_mask": np.array([one.attention_mask for one in batch], np.int64),
        }
        return session.run(["sentence_embedding"], feed)[0]

    return encode


ENGINES = {"sentence-transformers": sentence_transformers, "onnxruntime": onnx_runtime}


class Batcher:
    """Runs what has gathered while the last run was going on; nothing waits for company."""

    def __init__(self, encode):
        self.encode = encode
        self.pool = ThreadPoolExecutor(1)
        self.waiting = []
        self.running = False

    async def vectors(self, texts):
        done = asyncio.get_running_loop().create_future()
        self.waiting.append((texts, done))
        if not self.running:
            self.running = True
            asyncio.create_task(self.run())
        return await done

    async def run(self):
        loop = asyncio.get_running_loop()
        while self.waiting:
            batch, count = [], 0
            while self.waiting and (not batch or count + len(self.waiting[0][0]) <= BATCH):
                batch.append(self.waiting.pop(0))
                count += len(batch[-1][0])
            texts = [text for some, _ in batch for text in some]
            try:
                rows = await loop.run_in_executor(self.pool, self.encode, texts)
            except Exception as error:
                for _, done in batch:
                    done.set_exception(error)
                continue
            at = 0
            for some, done in batch:
                done.set_result(rows[at : at + len(some)])
                at += len(some)
        self.running = False


def application(encode, name):
    app = FastAPI()
    batcher = Batcher(encode)

    @app.post("/v1/embeddings")
    async def embeddings(request: Request):
        body = orjson.loads(await request.body())
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        rows = await batcher.vectors(texts)
        plain = body.get("encoding_format") != "base64"
        data = [
            {"object": "embedding", "index": i, "embedding": row.tolist() if plain else base64.b64encode(row).decode()}
            for i, row in enumerate(np.ascontiguousarray(rows, np.float32))
        ]
        answer = {"object": "list", "model": name, "data": data, "usage": {"prompt_tokens": 0, "total_tokens": 0}}
        return Response(orjson.dumps(answer), media_type="application/json")

    return app


def main():
    job = json.loads(sys.stdin.readline())
    encode = ENGINES[job["engine"]](job["model"])
    encode(["warm up", "def f(x):\n    return x"])
    options = dict(host="127.0.0.1", port=0, loop="uvloop", http="httptools", log_level="error", access_log=False)
    server = uvicorn.Server(uvicorn.Config(application(encode, job["engine"]), **options))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        threading.Event().wait(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(json.dumps({"ready": True, "port": port}), flush=True)
    sys.stdin.read()
    server.should_exit = True


main()
