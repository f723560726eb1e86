#!/usr/bin/env python3
"""Writes GGUF files that are wrong in one way each, and two that are right.

    make_broken_ggufs.py DIRECTORY     write the corpus; valid_spm.gguf and valid_bpe.gguf are the good ones
    make_broken_ggufs.py --list        print the name of each broken file and a text that a good message contains

Each file is a complete tiny llama model (SentencePiece or byte-level BPE vocabulary, random weights) in which one
thing was changed; its name says which. The text is the metadata key or the tensor at fault, or the word that tells the
cause; it is empty where several are at odds and any may be named. The same script writes the same bytes everywhere.
"""
import argparse
import math
import os
import random
import struct
import sys

# Metadata value types and tensor types by their ids in the file.
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
NUMBER_FORMAT = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<B", U64: "<Q",
                 I64: "<q", F64: "<d"}
TENSOR_F32, TENSOR_Q4_0, TENSOR_Q8_0, TENSOR_I32 = 0, 2, 8, 26

EMBEDDING, FEED_FORWARD, HEADS, KV_HEADS, HEAD_SIZE, CONTEXT = 32, 64, 4, 2, 8, 64
MAX_U64 = 2**64 - 1


# ---- A file as a list of parts that can be changed one by one ------------------------------------------------------


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def array(element_type, values, count=None):
    """The bytes of an array; `count` lies about its length."""
    encode = string if element_type == STRING else lambda v: struct.pack(NUMBER_FORMAT[element_type], v)
    return struct.pack("<IQ", element_type, len(values) if count is None else count) + b"".join(map(encode, values))


class Tensor:
    def __init__(self, name, ne, kind, data):
        self.name, self.ne, self.kind, self.data = name, list(ne), kind, data
        self.rank = None    # what the file claims, where that is not len(ne)
        self.offset = None  # likewise; the data stays in its place


class File:
    """Header, metadata and tensors of a GGUF; to_bytes() writes whatever they were set to."""

    def __init__(self):
        self.magic, self.version = b"GGUF", 3
        self.tensor_count = self.metadata_count = None
        self.metadata = []  # [key, value type, bytes of the value]
        self.tensors = []
        self.alignment = 32
        self.trailer = b""
        self.size = None       # cut to that many bytes
        self.marks = {}        # name of a place -> its offset, filled in by to_bytes

    def set(self, key, kind, value):
        data = value if isinstance(value, bytes) else string(value) if kind == STRING else struct.pack(
            NUMBER_FORMAT[kind], value)
        for entry in self.metadata:
            if entry[0] == key:
                entry[1:] = [kind, data]
                return
        self.metadata.append([key, kind, data])

    def entry(self, key):
        return next(e for e in self.metadata if e[0] == key)

    def remove(self, key):
        self.metadata.remove(self.entry(key))

    def tensor(self, name):
        return next(t for t in self.tensors if t.name == name)

    def remove_tensor(self, name):
        self.tensors.remove(self.tensor(name))

    def to_bytes(self):
        count = lambda claimed, real: real if claimed is None else claimed
        out = bytearray(self.magic + struct.pack("<I", self.version))
        out += struct.pack("<QQ", count(self.tensor_count, len(self.tensors)),
                           count(self.metadata_count, len(self.metadata)))
        for key, kind, value in self.metadata:
            self.marks["key " + (key if isinstance(key, str) else repr(key))] = len(out)
            out += string(key) + struct.pack("<I", kind)
            self.marks["value " + (key if isinstance(key, str) else repr(key))] = len(out)
            out += value
        offset = 0
        for t in self.tensors:
            self.marks.setdefault("tensor list", len(out))
            out += string(t.name) + struct.pack("<I", count(t.rank, len(t.ne)))
            out += b"".join(struct.pack("<Q", extent) for extent in t.ne)
            out += struct.pack("<IQ", t.kind, count(t.offset, offset))
            offset += self.padded(len(t.data))
        self.marks["tensor list end"] = len(out)
        out += bytes(self.padded(len(out)) - len(out))
        self.marks["data"] = len(out)
        for t in self.tensors:
            self.marks["data " + (t.name if isinstance(t.name, str) else repr(t.name))] = len(out)
            out += t.data + bytes(self.padded(len(t.data)) - len(t.data))
        if self.tensors:
            self.marks["last weight"] = len(out) - (self.padded(len(t.data)) - len(t.data)) - 1
        out += self.trailer
        return bytes(out if self.size is None else out[:self.size])

    def padded(self, size):
        return -(-size // self.alignment) * self.alignment


# ---- The good files ------------------------------------------------------------------------------------------------


def spm_tokenizer(f):
    words = ["\u2581", "t", "h", "e", "a", "n", "d", "th", "the", "\u2581the", "\u2581a", "an", "and", "\u2581and", "s",
             "o", "r", "er", "in", "."]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + words
    f.set("tokenizer.ggml.model", STRING, "llama")
    f.set("tokenizer.ggml.tokens", ARRAY, array(STRING, tokens))
    f.set("tokenizer.ggml.scores", ARRAY, array(F32, [0.0] * 259 + [-float(i) for i in range(len(words))]))
    f.set("tokenizer.ggml.token_type", ARRAY, array(I32, [2, 3, 3] + [6] * 256 + [1] * len(words)))
    f.set("tokenizer.ggml.bos_token_id", U32, 1)
    f.set("tokenizer.ggml.eos_token_id", U32, 2)
    f.set("tokenizer.ggml.unknown_token_id", U32, 0)
    return len(tokens)


def bpe_tokenizer(f):
    # GPT-2's byte alphabet: printable bytes stand for themselves, the others for characters from U+0100 on.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    alphabet = {b: chr(b) for b in printable}
    alphabet.update({b: chr(256 + i) for i, b in enumerate(others)})
    merges = ["t h", "th e", "a n", "an d", "\u0120 the", "i n", "e r"]
    tokens = [alphabet[b] for b in range(256)] + [m.replace(" ", "") for m in merges] + ["<|begin|>", "<|end|>"]
    f.set("tokenizer.ggml.model", STRING, "gpt2")
    f.set("tokenizer.ggml.pre", STRING, "gpt-2")
    f.set("tokenizer.ggml.tokens", ARRAY, array(STRING, tokens))
    f.set("tokenizer.ggml.token_type", ARRAY, array(I32, [1] * (len(tokens) - 2) + [3, 3]))
    f.set("tokenizer.ggml.merges", ARRAY, array(STRING, merges))
    f.set("tokenizer.ggml.bos_token_id", U32, len(tokens) - 2)
    f.set("tokenizer.ggml.eos_token_id", U32, len(tokens) - 1)
    return len(tokens)


def weights(rng, name, ne):
    """A vector as f32, the embedding as q4_0, another matrix as q8_0; spread as trained weights are."""
    if len(ne) == 1:
        return Tensor(name, ne, TENSOR_F32, struct.pack(f"<{ne[0]}f", *(rng.uniform(0.9, 1.1) for _ in range(ne[0]))))
    kind, code_bytes, spread = (TENSOR_Q4_0, 16, 4.6) if name == "token_embd.weight" else (TENSOR_Q8_0, 32, 74)
    data = bytearray()
    for _ in range(math.prod(ne) // 32):
        data += struct.pack("<e", rng.uniform(0.8, 1.2) / spread / math.sqrt(ne[0]))
        data += rng.getrandbits(8 * code_bytes).to_bytes(code_bytes, "little")
    return Tensor(name, ne, kind, bytes(data))


def good_file(tokenizer=spm_tokenizer):
    f, rng = File(), random.Random(1)
    f.set("general.architecture", STRING, "llama")
    f.set("general.name", STRING, "tiny random model")
    f.set("llama.block_count", U32, 1)
    f.set("llama.context_length", U32, CONTEXT)
    f.set("llama.embedding_length", U32, EMBEDDING)
    f.set("llama.feed_forward_length", U32, FEED_FORWARD)
    f.set("llama.attention.head_count", U32, HEADS)
    f.set("llama.attention.head_count_kv", U32, KV_HEADS)
    f.set("llama.attention.layer_norm_rms_epsilon", F32, 1e-5)
    f.set("llama.rope.dimension_count", U32, HEAD_SIZE)
    f.set("llama.rope.freq_base", F32, 10000.0)
    vocabulary = tokenizer(f)
    f.set("llama.vocab_size", U32, vocabulary)
    for name, ne in [("token_embd.weight", (EMBEDDING, vocabulary)), ("output_norm.weight", (EMBEDDING,)),
                     ("blk.0.attn_norm.weight", (EMBEDDING,)),
                     ("blk.0.attn_q.weight", (EMBEDDING, HEADS * HEAD_SIZE)),
                     ("blk.0.attn_k.weight", (EMBEDDING, KV_HEADS * HEAD_SIZE)),
                     ("blk.0.attn_v.weight", (EMBEDDING, KV_HEADS * HEAD_SIZE)),
                     ("blk.0.attn_output.weight", (HEADS * HEAD_SIZE, EMBEDDING)),
                     ("blk.0.ffn_norm.weight", (EMBEDDING,)),
                     ("blk.0.ffn_gate.weight", (EMBEDDING, FEED_FORWARD)),
                     ("blk.0.ffn_up.weight", (EMBEDDING, FEED_FORWARD)),
                     ("blk.0.ffn_down.weight", (FEED_FORWARD, EMBEDDING))]:
        f.tensors.append(weights(rng, name, ne))
    if tokenizer is bpe_tokenizer:  # the other file's output is tied to the embedding
        f.tensors.append(weights(rng, "output.weight", (EMBEDDING, vocabulary)))
    return f


# ---- The broken ones -----------------------------------------------------------------------------------------------

BROKEN = {}  # name -> (tokenizer, text expected in the message, change)


def broken(name, expected, change, tokenizer=spm_tokenizer):
    assert name not in BROKEN, name
    BROKEN[name] = (tokenizer, expected, change)


def attributes(**values):
    return lambda f: [setattr(f, key, value) for key, value in values.items()]


def miscount(parts, by):
    """A header that counts `by` more tensors or metadata entries than there are."""
    count = {"tensors": "tensor_count", "metadata": "metadata_count"}[parts]
    return lambda f: setattr(f, count, len(getattr(f, parts)) + by)


def cut(mark, extra=0):
    """A file that ends `extra` bytes behind a place."""
    def change(f):
        f.to_bytes()
        f.size = f.marks[mark] + extra
    return change


def put(key, kind, value):
    return lambda f: f.set(key, kind, value)


def drop(key):
    return lambda f: f.remove(key)


def rename_key(key, new):
    return lambda f: f.entry(key).__setitem__(0, new)


def set_on(tensor, /, **values):
    return lambda f: [setattr(f.tensor(tensor), key, value) for key, value in values.items()]


def replace_tensor(name, ne):
    """The same tensor in another shape, with data that fits it."""
    def change(f):
        f.tensors[f.tensors.index(f.tensor(name))] = weights(random.Random(2), name, ne)
    return change


def add_tensor(name, ne, values=None):
    def change(f):
        t = weights(random.Random(3), name, ne)
        if values:
            t.data = struct.pack(f"<{len(values)}f", *values)
        f.tensors.append(t)
    return change


def header_variants():
    broken("empty", "empty", attributes(size=0))
    broken("magic_wrong", "not a GGUF", attributes(magic=b"GGML"))
    broken("magic_cut", "not a GGUF", attributes(size=2))
    broken("html_page", "not a GGUF", attributes(magic=b"<!DOCTYPE html><title>404</title>"))
    broken("version_0", "version 0", attributes(version=0))
    broken("version_1", "version 1", attributes(version=1))
    broken("version_99", "version 99", attributes(version=99))
    broken("big_endian", "big-endian", attributes(version=3 << 24))
    broken("tensor_count_huge", "18446744073709551615 tensors", attributes(tensor_count=MAX_U64))
    broken("tensor_count_one_more", "", miscount("tensors", 1))
    broken("tensor_count_one_less", "", miscount("tensors", -1))
    broken("tensor_count_zero", "", attributes(tensor_count=0))
    broken("metadata_count_huge", "4611686018427387904 metadata", attributes(metadata_count=1 << 62))
    broken("metadata_count_one_more", "", miscount("metadata", 1))
    broken("metadata_count_one_less", "", miscount("metadata", -1))
    broken("metadata_count_zero", "", attributes(metadata_count=0))


def truncation_variants():
    for name, mark, extra in [
            ("in_version", "key general.architecture", -18), ("in_counts", "key general.architecture", -4),
            ("after_header", "key general.architecture", 0), ("in_first_key", "key general.architecture", 13),
            ("in_value_type", "value llama.block_count", -2), ("in_number", "value llama.block_count", 2),
            ("in_string", "value general.name", 12), ("in_array_count", "value tokenizer.ggml.tokens", 7),
            ("in_token_array", "value tokenizer.ggml.tokens", 1000),
            ("in_score_array", "value tokenizer.ggml.scores", 102), ("after_metadata", "tensor list", 0),
            ("in_tensor_list", "tensor list", 200), ("before_padding", "tensor list end", 0),
            ("before_data", "data", 0),
            ("in_first_tensor", "data token_embd.weight", 50), ("in_block", "data blk.0.attn_k.weight", 3),
            ("last_byte", "last weight", 0)]:
        broken("truncated_" + name, "truncated", cut(mark, extra))


def metadata_form_variants():
    key = "llama.block_count"
    broken("key_empty", "key '' is empty", rename_key(key, ""))
    broken("key_not_utf8", "not readable UTF-8", rename_key(key, b"llama.\xff\xfe"))
    broken("key_with_newline", "not readable UTF-8", rename_key(key, "llama\n.block_count"))
    broken("key_too_long", "65536 bytes", rename_key(key, "k" * 65536))
    broken("key_twice", "'llama.block_count'", lambda f: f.metadata.append(list(f.entry(key))))
    broken("value_type_unknown", "value type 13", put(key, 13, struct.pack("<I", 1)))
    broken("string_length_huge", "general.name", put("general.name", STRING, struct.pack("<Q", MAX_U64)))
    broken("array_length_huge", "tokenizer.ggml.scores",
           put("tokenizer.ggml.scores", ARRAY, array(F32, [0.0], MAX_U64)))
    broken("array_length_overflows", "tokenizer.ggml.scores",
           put("tokenizer.ggml.scores", ARRAY, array(F64, [0.0], 1 << 61)))
    broken("array_of_strings_huge", "tokenizer.ggml.tokens",
           put("tokenizer.ggml.tokens", ARRAY, array(STRING, [], MAX_U64)))
    broken("array_type_unknown", "value type 77",
           put("tokenizer.ggml.scores", ARRAY, struct.pack("<IQ", 77, 1) + bytes(4)))
    broken("arrays_nested_deeply", "nest", put("general.name", ARRAY, struct.pack("<IQ", ARRAY, 1) * 1000))
    broken("bool_is_2", "tokenizer.ggml.add_bos_token", put("tokenizer.ggml.add_bos_token", BOOL, 2))
    for value in (0, 4, 33, 2**31):
        broken(f"alignment_{value}", "", put("general.alignment", U32, value))
    broken("alignment_not_a_number", "general.alignment", put("general.alignment", STRING, "32"))


def tensor_form_variants():
    q = "blk.0.attn_q.weight"
    broken("tensor_name_empty", "name '' is empty", set_on(q, name=""))
    broken("tensor_name_not_utf8", "not readable UTF-8", set_on(q, name=b"blk.0.\xc3(.weight"))
    broken("tensor_name_too_long", "65 bytes", set_on(q, name="n" * 65))
    broken("tensor_twice", q, set_on("blk.0.attn_output.weight", name=q))
    broken("tensor_rank_0", q, set_on(q, ne=[]))
    broken("tensor_rank_5", q, set_on(q, ne=[32, 32, 1, 1, 1]))
    broken("tensor_rank_huge", q, set_on(q, rank=2**32 - 1))
    broken("tensor_dimension_0", q, set_on(q, ne=[32, 0]))
    broken("tensor_dimension_negative", q, set_on(q, ne=[32, MAX_U64 - 31]))
    broken("tensor_elements_overflow", q, set_on(q, ne=[2**32, 2**32]))
    broken("tensor_elements_overflow_to_right_size", q, set_on(q, ne=[2**62 + 32, 4, 8]))
    broken("tensor_bytes_overflow", q, set_on(q, ne=[2**31, 2**31], kind=TENSOR_F32))
    broken("tensor_larger_than_file", q, set_on(q, ne=[32, 2**20]))
    broken("tensor_type_unknown", q, set_on(q, kind=12345))
    broken("tensor_type_withdrawn", q, set_on(q, kind=31))
    broken("tensor_row_no_multiple_of_block", q, set_on(q, ne=[16, 64]))
    broken("tensor_offset_unaligned", q, set_on(q, offset=33))
    broken("tensor_offset_past_end", q, set_on(q, offset=1 << 40))
    broken("tensor_offset_wraps", q, set_on(q, offset=2**64 - 32))
    broken("tensors_overlap", q, set_on(q, offset=32))
    broken("tensors_at_same_offset", "output_norm.weight",
           set_on("output_norm.weight", offset=0))
    broken("bytes_after_last_tensor", "follow the last tensor", attributes(trailer=bytes(4096)))


def hyperparameter_variants():
    broken("architecture_missing", "general.architecture", drop("general.architecture"))
    broken("architecture_unknown", "perceptron", put("general.architecture", STRING, "perceptron"))
    broken("architecture_empty", "general.architecture", put("general.architecture", STRING, ""))
    broken("architecture_not_a_string", "general.architecture", put("general.architecture", U32, 1))
    # The file says qwen2, all keys say llama.
    broken("architecture_of_another_family", "qwen2.", put("general.architecture", STRING, "qwen2"))

    for key in ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
                "attention.layer_norm_rms_epsilon"):
        name = key.replace("attention.", "")
        broken(f"{name}_missing", f"llama.{key}", drop(f"llama.{key}"))
        broken(f"{name}_not_a_number", f"llama.{key}", put(f"llama.{key}", STRING, "1"))
    for key in ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
                "attention.head_count_kv"):
        name = key.replace("attention.", "")
        broken(f"{name}_zero", f"llama.{key}", put(f"llama.{key}", U32, 0))
        broken(f"{name}_negative", f"llama.{key}", put(f"llama.{key}", I32, -1))
        if key != "context_length":
            broken(f"{name}_2_to_31", "", put(f"llama.{key}", U32, 2**31))
    broken("block_count_more_than_there_are", "blk.1.", put("llama.block_count", U32, 2))
    broken("block_count_beyond_32_bits", "llama.block_count", put("llama.block_count", U64, 2**32 + 1))
    broken("embedding_length_not_the_tensors", "", put("llama.embedding_length", U32, 64))
    broken("feed_forward_length_not_the_tensors", "", put("llama.feed_forward_length", U32, 96))
    broken("head_count_does_not_divide", "llama.attention.head_count", put("llama.attention.head_count", U32, 5))
    broken("head_count_kv_does_not_divide", "llama.attention.head_count_kv",
           put("llama.attention.head_count_kv", U32, 3))
    broken("head_count_kv_above_head_count", "llama.attention.head_count_kv",
           put("llama.attention.head_count_kv", U32, 8))
    broken("head_count_kv_not_the_tensors", "blk.0.attn_k.weight", put("llama.attention.head_count_kv", U32, 1))
    broken("key_length_zero", "llama.attention.key_length", put("llama.attention.key_length", U32, 0))
    broken("key_length_not_the_tensors", "", put("llama.attention.key_length", U32, 16))

    for name, value in (("nan", math.nan), ("infinite", math.inf), ("negative", -1e-5), ("zero", 0.0), ("huge", 1e30)):
        broken(f"epsilon_{name}", "llama.attention.layer_norm_rms_epsilon",
               put("llama.attention.layer_norm_rms_epsilon", F32, value))
    for name, value in (("nan", math.nan), ("infinite", math.inf), ("negative", -10000.0), ("zero", 0.0)):
        broken(f"rope_base_{name}", "llama.rope.freq_base", put("llama.rope.freq_base", F32, value))
    for name, value in (("odd", 7), ("above_head_size", 16), ("2_to_31", 2**31)):
        broken(f"rope_dimension_{name}", "llama.rope.dimension_count", put("llama.rope.dimension_count", U32, value))

    def scaling(kind, factor):
        return lambda f: (f.set("llama.rope.scaling.type", STRING, kind),
                          f.set("llama.rope.scaling.factor", F32, factor))
    broken("rope_scaling_type_unknown", "llama.rope.scaling.type", scaling("banana", 2.0))
    for name, value in (("nan", math.nan), ("zero", 0.0), ("negative", -2.0)):
        broken(f"rope_scaling_factor_{name}", "llama.rope.scaling.factor", scaling("linear", value))
    broken("rope_freqs_wrong_length", "rope_freqs.weight", add_tensor("rope_freqs.weight", (HEAD_SIZE,)))
    broken("rope_freqs_nan", "rope_freqs.weight", add_tensor("rope_freqs.weight", (4,), [1.0, math.nan, 1.0, 1.0]))
    broken("rope_freqs_zero", "rope_freqs.weight", add_tensor("rope_freqs.weight", (4,), [1.0, 0.0, 1.0, 1.0]))
    broken("expert_count_without_experts", "llama.expert", lambda f: (f.set("llama.expert_count", U32, 4),
                                                                    f.set("llama.expert_used_count", U32, 2)))


def tensor_meaning_variants():
    for name in ("token_embd.weight", "output_norm.weight", "blk.0.attn_norm.weight", "blk.0.attn_q.weight",
                 "blk.0.attn_v.weight", "blk.0.ffn_down.weight"):
        broken("missing_" + name.replace(".weight", "").replace("blk.0.", ""), name,
               lambda f, name=name: f.remove_tensor(name))
    broken("no_tensors", "", lambda f: f.tensors.clear())
    for name, tensor, ne in [("q_too_wide", "blk.0.attn_q.weight", (64, 32)),
                             ("q_too_short", "blk.0.attn_q.weight", (32, 16)),
                             ("q_is_3d", "blk.0.attn_q.weight", (32, 8, 4)), ("q_is_1d", "blk.0.attn_q.weight", (32,)),
                             ("norm_too_long", "blk.0.attn_norm.weight", (64,)),
                             ("norm_is_2d", "output_norm.weight", (32, 32)),
                             ("ffn_down_not_transposed", "blk.0.ffn_down.weight", (32, 64)),
                             ("ffn_up_unlike_gate", "blk.0.ffn_up.weight", (32, 96)),
                             ("embedding_too_short", "token_embd.weight", (32, 100))]:
        broken(f"shape_{name}", tensor, replace_tensor(tensor, ne))
    broken("shape_output_too_short", "output.weight", replace_tensor("output.weight", (32, 100)),
           bpe_tokenizer)
    broken("weight_is_integer", "blk.0.attn_q.weight",
           set_on("blk.0.attn_q.weight", kind=TENSOR_I32, data=bytes(4 * 32 * 32)))
    broken("weight_type_not_computable", "token_embd.weight",  # iq2_xxs: 66 bytes for 256 weights
           lambda f: (f.set("llama.embedding_length", U32, 256),
                      set_on("token_embd.weight", kind=16, ne=[256, 279], data=bytes(66 * 279))(f)))


def tokenizer_variants():
    key = "tokenizer.ggml."
    broken("tokenizer_model_missing", key + "model", drop(key + "model"))
    broken("tokenizer_model_unknown", "abacus", put(key + "model", STRING, "abacus"))
    broken("tokenizer_model_not_a_string", key + "model", put(key + "model", U32, 1))
    broken("tokens_missing", key + "tokens", drop(key + "tokens"))
    broken("tokens_not_an_array", key + "tokens", put(key + "tokens", STRING, "abc"))
    broken("tokens_are_numbers", key + "tokens", put(key + "tokens", ARRAY, array(I32, range(279))))
    broken("tokens_empty", key + "tokens", put(key + "tokens", ARRAY, array(STRING, [])))
    broken("tokens_fewer_than_embeddings", "", put(key + "tokens", ARRAY, array(STRING, [str(i) for i in range(100)])))
    broken("tokens_more_than_embeddings", "", put(key + "tokens", ARRAY, array(STRING, [str(i) for i in range(500)])))
    broken("vocab_size_not_the_tokens", "", put("llama.vocab_size", U32, 500))
    broken("scores_missing", key + "scores", drop(key + "scores"))
    broken("scores_too_few", key + "scores", put(key + "scores", ARRAY, array(F32, [0.0] * 10)))
    broken("scores_are_strings", key + "scores", put(key + "scores", ARRAY, array(STRING, ["0"] * 279)))
    broken("scores_nan", key + "scores", put(key + "scores", ARRAY, array(F32, [math.nan] * 279)))
    broken("token_types_too_few", key + "token_type", put(key + "token_type", ARRAY, array(I32, [1] * 10)))
    broken("token_types_too_many", key + "token_type", put(key + "token_type", ARRAY, array(I32, [1] * 280)))
    broken("token_types_are_floats", key + "token_type", put(key + "token_type", ARRAY, array(F32, [1.0] * 279)))
    for value in (99, -1):
        broken(f"token_type_{value}", key + "token_type", put(key + "token_type", ARRAY, array(I32, [value] * 279)))
    for name in ("bos", "eos", "unknown"):
        broken(f"{name}_id_out_of_range", f"{key}{name}_token_id", put(f"{key}{name}_token_id", U32, 279))
    broken("bos_id_not_a_number", key + "bos_token_id", put(key + "bos_token_id", STRING, "<s>"))
    broken("add_bos_not_a_bool", key + "add_bos_token", put(key + "add_bos_token", STRING, "true"))

    broken("pre_tokenizer_unknown", "sanskrit", put(key + "pre", STRING, "sanskrit"), bpe_tokenizer)
    broken("merges_missing", key + "merges", drop(key + "merges"), bpe_tokenizer)
    broken("merges_are_numbers", key + "merges", put(key + "merges", ARRAY, array(I32, [1, 2])), bpe_tokenizer)
    broken("merge_without_a_pair", key + "merges", put(key + "merges", ARRAY, array(STRING, ["th"])), bpe_tokenizer)


def define_variants():
    header_variants()
    truncation_variants()
    metadata_form_variants()
    tensor_form_variants()
    hyperparameter_variants()
    tensor_meaning_variants()
    tokenizer_variants()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", help="where to write; made if it does not exist")
    parser.add_argument("--list", action="store_true", help="print the broken files and write nothing")
    arguments = parser.parse_args()
    define_variants()
    if arguments.list:
        for name, (_, expected, _) in BROKEN.items():
            print(f"{name:40} {expected}")
        return 0
    if not arguments.directory:
        parser.error("a directory is needed")
    os.makedirs(arguments.directory, exist_ok=True)

    def write(name, f):
        with open(os.path.join(arguments.directory, name + ".gguf"), "wb") as out:
            out.write(f.to_bytes())
    write("valid_spm", good_file())
    write("valid_bpe", good_file(bpe_tokenizer))
    for name, (tokenizer, _, change) in BROKEN.items():
        f = good_file(tokenizer)
        change(f)
        write(name, f)
    return 0


if __name__ == "__main__":
    sys.exit(main())
