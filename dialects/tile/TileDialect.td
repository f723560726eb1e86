//===- TileDialect.td - What a kernel does to tiles ------------------------===//
#ifndef SINTER_DIALECTS_TILE_DIALECT_TD
#define SINTER_DIALECTS_TILE_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::sinter::tile";
  let summary = "Kernels as programs over tiles of 32 rows, in words that every target has";
  let description = [{
    A kernel computes one tile of its result at a time. Values are

      vector<TxRxf32>   T tokens by R rows: a register block; R is 32, or less where a target's
                        registers want it (`tile.concat` joins parts)
      vector<Tx1xf32>   one number a token, the same for all rows (a scale)
      vector<Rxf32>     one number a row, the same for all tokens (a line of weights, a gain)

    and element-wise work on them is written with `arith` and `math`. Everything else is here.
    Kernels are made in structured form (load_packed, unpack, dot, scale_accumulate, load_row, ...);
    `--expand-formats` writes unpacking and scale chains as lane arithmetic, `--unroll-tokens` takes the
    token dimension apart, and what is left (the lane form) is what each back end lowers: a row is a
    SIMD lane, or an invocation of a GPU.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerTypes();";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

class Tile_Type<string name, string typeMnemonic> : TypeDef<Tile_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Tile_PackedType : Tile_Type<"Packed", "packed"> {
  let summary = "a binding: a weight matrix packed in tiles of 32 rows";
  let description = [{
    `!tile.packed<8192x2048, q4_0>`: rows x columns in a format; the layout is that of
    `compiler/weights/Format.h`, on every target.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::sinter::FormatId":$format);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Tile_RowsType : Tile_Type<"Rows", "rows"> {
  let summary = "a binding: rows of f32, one a token (or one for all)";
  let description = [{
    `!tile.rows<2048>`: element c of row m is the float at byte `m * stride + 4 * c`; the stride is
    `stride` bytes where given and else the width rounded up to 32 elements, and 128 bytes more where that is a multiple
    of 2048 bytes: a tile's elements of several rows would lie in the same sets of a cache. Padding up to 32 elements is zero.
  }];
  let parameters = (ins "int64_t":$width, "int64_t":$stride);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The type of rows without a `stride` of their own.
    static RowsType getPadded(::mlir::MLIRContext *context, int64_t width);
  }];
}

def Tile_ActsType : Tile_Type<"Acts", "acts"> {
  let summary = "a binding: rows of int8 activations with a scale and sums for each 32";
  let description = [{
    `!tile.acts<2048>`: a row of width K is, with a number for each group of 32 codes,
    K bytes codes | K/32 f32 scales | K/32 i32 starts | K/16 i32 half starts | K/32 f32 totals.
    A *start* is -8 times the sum of the group's codes: what a dot begins with whose weights are stored with an
    offset of 8 (Q4_0; other offsets take a multiple of it). A *half start* is -32 times the sum of one half of the
    group, for formats with a scale for each 16 (the offset of Q6_K). A *total* is the scale times the sum: what a
    minimum is multiplied by. What layers behind read of them is written once, so that no kernel computes it for each of its row tiles.

    `!tile.acts<2048, crossed>` can be read by crossed dots too (tile.dot): codes lie in -120 .. 120 instead of -127 .. 127,
    and those of words 0, 2, 4 of each group are moved up by 128. Behind the totals are K/32 i32 *cross sums* and, from the
    next multiple of 16 on, K/2 bytes *even words*. A cross sum is what the activations alone add to a crossed dot, negated:
    with codes a of words 0, 2, 4, b of the words behind them and x of words 6 and 7, -sum((a + 128) * b) - 8 * sum(x). Even
    words are words 0, 2, 4, 6 as they were, for dots that are not crossed.

    `!tile.acts<2048, stepped>`: scales are 4, 5, 6 or 7 times a power of two, up to a quarter above what they would be: what a
    weight's scale times one of them is can be looked up (tile.load_levels).
  }];
  let parameters = (ins "int64_t":$width, "bool":$crossed, "bool":$stepped);
  let builders = [TypeBuilder<(ins "int64_t":$width, CArg<"bool", "false">:$crossed, CArg<"bool", "false">:$stepped), [{
    return $_get($_ctxt, width, crossed, stepped);
  }]>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Of a stepped scale behind the first one.
    static constexpr int64_t kStepBits = 2;
    int64_t getLargestCode() const { return getCrossed() ? 120 : 127; }
    int64_t getScalesOffset() const { return getWidth(); }
    int64_t getStartsOffset() const { return getWidth() + getWidth() / 32 * 4; }
    int64_t getHalfStartsOffset() const { return getWidth() + getWidth() / 32 * 8; }
    int64_t getTotalsOffset() const { return getWidth() + getWidth() / 32 * 16; }
    int64_t getCrossSumsOffset() const { return getWidth() + getWidth() / 32 * 20; }
    int64_t getEvenWordsOffset() const { return (getWidth() + getWidth() / 32 * 24 + 15) / 16 * 16; }
    /// Bytes from one token's row to the next: a multiple of 64.
    int64_t getStride() const {
      int64_t end = getCrossed() ? getEvenWordsOffset() + getWidth() / 2 : getWidth() + getWidth() / 32 * 20;
      return (end + 63) / 64 * 64;
    }
  }];
}

def Tile_ArrangedType : Tile_Type<"Arranged", "arranged"> {
  let summary = "the int8 activations of a register block, side by side: a view of scratch";
  let description = [{
    `!tile.arranged<2048, 12 by 1, starts>`: the groups of 12 rows of `!tile.acts<2048>`, so that one address and small
    displacements reach all tokens of a group. Tokens go together by one or by two. A group is, in the order in which it is
    used, part by part of all tokens; or, with `halves`, whose codes are read twice, of each 4 tokens (by one) or each pair t, u
    of them (by two), one after the other, all of their parts:

      starts    where they are named: by one 4 times that of each token (what a dot begins with is the same for all rows),
                by two t u t u
      half starts, low then high, where `halves` are named: as starts
      codes     by one word after word (4 codes), each of all tokens, in the order 0 4 1 5 2 6 3 7 in which formats of 4 bits
                give them, with `halves` token after token; by two words are t[0..7] u[0..7], t[8..15] u[8..15], .., in the
                order 0 2 1 3, with `halves` pair after pair in their own
      scales    by one a word a token, by two t u t u
      totals    where they are named: as scales

    The number of groups is rounded up to a multiple of 4. Only what a format reads is named: the rest would be copied for
    nothing.
  }];
  let parameters = (ins "int64_t":$width, "int64_t":$tokens, "int64_t":$together, "bool":$starts, "bool":$halves,
                        "bool":$totals);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    enum Part { Starts, LowStarts, HighStarts, Codes, Scales, Totals, End };
    bool has(Part part) const;
    int64_t getGroups() const { return (getWidth() / 32 + 3) / 4 * 4; }
    /// Fours of tokens, or pairs.
    int64_t getUnits() const { return getTokens() / getUnitTokens(); }
    int64_t getUnitTokens() const { return getTogether() == 2 ? 2 : 4; }
    /// Where a part of unit 0 lies, and how far from there that of the next unit.
    int64_t getOffset(Part part) const;
    int64_t getUnitStep(Part part) const { return !byWord() ? getOffset(End) : part < Codes ? getStartBytes() : 16; }
    /// Starts of a unit.
    int64_t getStartBytes() const { return getTogether() == 1 ? 64 : 16; }
    /// Whether codes lie word after word; how many words there are; and where word `word` of unit 0 lies, with those of 3 more
    /// tokens or one more.
    bool byWord() const { return !getHalves(); }
    int64_t getWords() const { return 8 / getTogether(); }
    int64_t getWordOffset(int64_t word) const {
      return getOffset(Codes) + 16 * getUnits() * getWordPlace(word, getWords());
    }
    /// Of `words` words, those of the first half and of the second in turn.
    static int64_t getWordPlace(int64_t word, int64_t words) { return word % (words / 2) * 2 + word / (words / 2); }
    int64_t getGroupBytes() const { return getOffset(End) * (byWord() ? 1 : getUnits()); }
    int64_t getBytes() const { return getGroups() * getGroupBytes(); }
  }];
}

def Tile_BytesType : Tile_Type<"Bytes", "bytes"> {
  let summary = "a binding addressed by byte: a KV cache, token ids, scratch";
  let assemblyFormat = "";
}

def Tile_BlockType : Tile_Type<"Block", "block"> {
  let summary = "the packed weights of R rows and one activation group (8 columns of a float format)";
  let description = [{`!tile.block<q4_0, 16>`: format and rows. Where it lies, not yet loaded.}];
  let parameters = (ins "::sinter::FormatId":$format, "int64_t":$rows);
  let hasCustomAssemblyFormat = 1;
}

#endif
