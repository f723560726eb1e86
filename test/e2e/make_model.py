#!/usr/bin/python3
"""Writes a GGUF of the Llama architecture with random weights: for sizes, memory and errors, not for text.

  make_model.py OUT.gguf --type q4_0 --layers 2 --width 256 --ffn 512 --heads 4 --kv-heads 4 --vocab 512
  make_model.py OUT.gguf --shape 1b --type q4_0       (the shape of Llama 3.2 1B; also 8b: Llama 3 8B)

The bytes depend on the flags only. Quantized blocks hold random codes under scales that keep activations finite.
"""
import argparse
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gguf  # noqa: E402

SHAPES = {
    "1b": dict(layers=16, width=2048, ffn=8192, heads=32, kv_heads=8, vocab=128256, tied=True, context=8192),
    "8b": dict(layers=32, width=4096, ffn=14336, heads=32, kv_heads=8, vocab=128256, tied=False, context=8192),
}
# Where a block's f16 scales stand, and what they are multiplied with to give weights of spread 1.
SCALES = {"q4_0": [(0, 1 / 4.6)], "q5_0": [(0, 1 / 9.2)], "q8_0": [(0, 1 / 74)],
          "q4_k": [(0, 1 / 150), (2, 7.5 / 150)], "q6_k": [(208, 1 / 1360)]}


def f16(value):
    return struct.pack("<e", value)


def weights(rng, kind, elements, spread):
    """`elements` weights as bytes: random blocks, drawn a few thousand at a time and then repeated."""
    _, per_block, size = gguf.IDS[kind.upper()]
    blocks = elements // per_block
    if kind == "f32":
        unit = b"".join(struct.pack("<f", rng.gauss(0, spread)) for _ in range(min(blocks, 4099)))
    elif kind == "f16":
        unit = b"".join(f16(rng.gauss(0, spread)) for _ in range(min(blocks, 4099)))
    elif kind == "bf16":
        unit = b"".join(struct.pack("<f", rng.gauss(0, spread))[2:] for _ in range(min(blocks, 4099)))
    else:
        drawn = bytearray(rng.randbytes(min(blocks, 4099) * size))
        for at, factor in SCALES[kind]:
            for block in range(len(drawn) // size):
                drawn[block * size + at:block * size + at + 2] = f16(rng.uniform(0.8, 1.2) * factor * spread)
        unit = bytes(drawn)
    whole, rest = divmod(blocks * size, len(unit))
    return unit * whole + unit[:rest]


def tokenizer(vocab):
    """A byte-level BPE vocabulary: 256 bytes, fillers, two special tokens."""
    letters, extra = [], 0
    for byte in range(256):
        printable = 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte
        letters.append(chr(byte) if printable else chr(256 + extra))
        extra += not printable
    pairs = [(a, b) for a in "thaneriosd" for b in "thaneriosd"][:max(0, vocab - 258)]
    tokens = letters + [a + b for a, b in pairs]
    tokens += [f"<filler_{i}>" for i in range(len(tokens), vocab - 2)] + ["<|begin|>", "<|end|>"]
    return {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.token_type": [1] * (vocab - 2) + [3, 3],
            "tokenizer.ggml.merges": [f"{a} {b}" for a, b in pairs] or ["t h"],
            "tokenizer.ggml.bos_token_id": vocab - 2, "tokenizer.ggml.eos_token_id": vocab - 1}


def write(path, kind="q4_0", layers=2, width=256, ffn=512, heads=4, kv_heads=4, vocab=512, tied=True, context=2048,
          seed=1):
    """Writes the model. Heads times head size is the width."""
    rng = random.Random(seed)
    head = width // heads
    tensors = [("token_embd.weight", (width, vocab), kind), ("output_norm.weight", (width,), "f32")]
    if not tied:
        tensors.append(("output.weight", (width, vocab), kind))
    for layer in range(layers):
        shapes = {"attn_norm": (width,), "attn_q": (width, width), "attn_k": (width, kv_heads * head),
                  "attn_v": (width, kv_heads * head), "attn_output": (width, width), "ffn_norm": (width,),
                  "ffn_gate": (width, ffn), "ffn_up": (width, ffn), "ffn_down": (ffn, width)}
        tensors += [(f"blk.{layer}.{name}.weight", dims, kind if len(dims) > 1 else "f32")
                    for name, dims in shapes.items()]
    metadata = {"general.architecture": "llama", "general.name": "random", "general.alignment": 32,
                "llama.block_count": layers, "llama.context_length": context, "llama.embedding_length": width,
                "llama.feed_forward_length": ffn, "llama.attention.head_count": heads,
                "llama.attention.head_count_kv": kv_heads, "llama.attention.layer_norm_rms_epsilon": 1e-5,
                "llama.rope.freq_base": 10000.0, "llama.rope.dimension_count": head, "llama.vocab_size": vocab,
                **tokenizer(vocab)}
    infos, offset, sizes = [], 0, []
    for name, dims, of in tensors:
        number, per_block, block = gguf.IDS[of.upper()]
        elements = dims[0] * (dims[1] if len(dims) > 1 else 1)
        size = elements // per_block * block
        raw = name.encode()
        infos.append(struct.pack("<Q", len(raw)) + raw + struct.pack(f"<I{len(dims)}Q", len(dims), *dims) +
                     struct.pack("<IQ", number, offset))
        sizes.append((elements, size))
        offset += -(-size // 32) * 32
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        file.write(b"".join(gguf.metadata_entry(*entry) for entry in metadata.items()) + b"".join(infos))
        file.write(bytes(-file.tell() % 32))
        for (name, dims, of), (elements, size) in zip(tensors, sizes):
            if "norm" in name:
                data = struct.pack(f"<{elements}f", *(rng.gauss(1, 0.1) for _ in range(elements)))
            else:
                data = weights(rng, of, elements, dims[0] ** -0.5)
            file.write(data + bytes(-size % 32))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--type", default="q4_0", choices=["f32", "f16", "bf16", *SCALES])
    parser.add_argument("--shape", choices=SHAPES)
    for name, value in (("layers", 2), ("width", 256), ("ffn", 512), ("heads", 4), ("kv-heads", 4), ("vocab", 512),
                        ("context", 2048)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--untied", action="store_true", help="with an output matrix of its own")
    options = parser.parse_args()
    shape = SHAPES[options.shape] if options.shape else dict(
        layers=options.layers, width=options.width, ffn=options.ffn, heads=options.heads, kv_heads=options.kv_heads,
        vocab=options.vocab, context=options.context, tied=not options.untied)
    write(options.out, options.type, **shape)


if __name__ == "__main__":
    main()
